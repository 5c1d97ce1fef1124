"""XMem's operations as tracked writes: what it writes to Neo4j itself today becomes a document and its event, in one
transaction.

For ``AsyncMongoClient``: ``outgraph_xmem.asynchronous``.
"""

from outgraph_xmem.aggregates import (
    code_annotation,
    code_file,
    code_repository,
    memory_event,
    memory_user,
    xmem_aggregates,
)
from outgraph_xmem.operations import EventChanges, ScanOutcome
from outgraph_xmem.synchronous import CodeGraph, Memory, ensure_indexes

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
