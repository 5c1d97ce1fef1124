"""XMem's operations for ``AsyncMongoClient``."""

from outgraph_xmem.asynchronous.code_graph import AsyncCodeGraph
from outgraph_xmem.asynchronous.indexes import ensure_indexes
from outgraph_xmem.asynchronous.memory import AsyncMemory

__all__ = ["AsyncCodeGraph", "AsyncMemory", "ensure_indexes"]
