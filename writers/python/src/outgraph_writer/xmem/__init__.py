"""XMem's operations as tracked writes: what it writes to Neo4j itself today becomes a document and its event, in one transaction. Nothing else in this library knows of it.

For ``AsyncMongoClient``: ``outgraph_writer.xmem.asynchronous``.
"""

from outgraph_writer.xmem.aggregates import (
    code_annotation,
    code_file,
    code_repository,
    memory_event,
    memory_user,
    xmem_aggregates,
)
from outgraph_writer.xmem.operations import EventChanges, ScanOutcome
from outgraph_writer.xmem.synchronous import CodeGraph, Memory, ensure_indexes

__all__ = [
    "CodeGraph",
    "EventChanges",
    "Memory",
    "ScanOutcome",
    "code_annotation",
    "code_file",
    "code_repository",
    "ensure_indexes",
    "memory_event",
    "memory_user",
    "xmem_aggregates",
]
