"""Recording, tracking and waiting for ``AsyncMongoClient``."""

from outgraph_writer.asynchronous.record import record_event, record_events
from outgraph_writer.asynchronous.settled import settled
from outgraph_writer.asynchronous.tracked_collection import AsyncTrackedCollection, track_collection

__all__ = ["AsyncTrackedCollection", "record_event", "record_events", "settled", "track_collection"]
