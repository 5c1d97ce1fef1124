"""XMem's operations with an ``AsyncMongoClient``."""

from outgraph_writer.xmem.asynchronous.code_graph import AsyncCodeGraph
from outgraph_writer.xmem.asynchronous.indexes import ensure_indexes
from outgraph_writer.xmem.asynchronous.memory import AsyncMemory

__all__ = ["AsyncCodeGraph", "AsyncMemory", "ensure_indexes"]
