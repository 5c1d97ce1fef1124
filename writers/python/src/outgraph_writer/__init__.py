"""Records events for outgraph in the MongoDB transaction that writes their documents.

``outgraph_writer.asynchronous`` has the same names for ``AsyncMongoClient``.

Example:
    >>> people = track_collection(client.crm, Aggregate(type="person", collection="people"))
    >>> with collect_event_ids() as event_ids:
    ...     people.insert_one({"_id": "ada", "name": "Ada"})
    >>> settled(client.crm, event_ids)  # It is in the graph.
"""

from outgraph_writer.aggregate import Aggregate, Problem, document_id
from outgraph_writer.event import CONTRACT_VERSION, OUTBOX, Change
from outgraph_writer.event_ids import collect_event_ids
from outgraph_writer.fault import Fault, FaultCode
from outgraph_writer.graph import graph
from outgraph_writer.many import Committed, ManyDeleted, ManyUpdated, UnfinishedWrite
from outgraph_writer.synchronous import TrackedCollection, record_event, record_events, settled, track_collection

__all__ = [
    "CONTRACT_VERSION",
    "OUTBOX",
    "Aggregate",
    "Change",
    "Committed",
    "Fault",
    "FaultCode",
    "ManyDeleted",
    "ManyUpdated",
    "Problem",
    "TrackedCollection",
    "UnfinishedWrite",
    "collect_event_ids",
    "document_id",
    "graph",
    "record_event",
    "record_events",
    "settled",
    "track_collection",
]
