# Made by ../../writers/python/tools/synchronous.py from src/outgraph_xmem/asynchronous/__init__.py: change that one.
"""XMem's operations with an ``MongoClient``."""

from outgraph_xmem.synchronous.code_graph import CodeGraph
from outgraph_xmem.synchronous.indexes import ensure_indexes
from outgraph_xmem.synchronous.memory import Memory

__all__ = ["CodeGraph", "Memory", "ensure_indexes"]
