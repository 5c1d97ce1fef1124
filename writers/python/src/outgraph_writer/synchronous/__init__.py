# Made by tools/synchronous.py from src/outgraph_writer/asynchronous/__init__.py: change that one.
"""Recording and tracking with an ``MongoClient``."""

from outgraph_writer.synchronous.record import record_event, record_events
from outgraph_writer.synchronous.tracked_collection import TrackedCollection, track_collection

__all__ = ["TrackedCollection", "record_event", "record_events", "track_collection"]
