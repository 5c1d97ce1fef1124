# Made by tools/synchronous.py from src/outgraph_writer/xmem/asynchronous/__init__.py: change that one.
"""XMem's operations with an ``MongoClient``."""

from outgraph_writer.xmem.synchronous.code_graph import CodeGraph
from outgraph_writer.xmem.synchronous.indexes import ensure_indexes
from outgraph_writer.xmem.synchronous.memory import Memory

__all__ = ["CodeGraph", "Memory", "ensure_indexes"]
