"""XMem's operations as tracked writes: a document and its event in one transaction, instead of a write to Neo4j.

``outgraph_xmem.asynchronous`` has the same operations for ``AsyncMongoClient``.

Example:
    >>> memory = Memory(client.xmem)
    >>> event_id = memory.add_event("ada", "12-10", event_name="birthday", year=1815)
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
