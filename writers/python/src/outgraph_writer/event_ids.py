"""Collects the ids of recorded events, so that a writer can wait until they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bson.objectid import ObjectId

_collector: ContextVar[list[ObjectId] | None] = ContextVar("outgraph_event_ids", default=None)


@contextmanager
def collect_event_ids() -> Iterator[list[ObjectId]]:
    """Collects the ids of the events that the block records, in a list of its own, for ``settled``.

    It sees all writes of the block, also those in functions that it calls, and those of no other task or thread. In a
    transaction of your own, open the block in the transaction's function and return the list: the driver may run the
    function more than once, and only its last run is committed.

    Example:
        >>> with collect_event_ids() as event_ids:
        ...     people.insert_one({"_id": "ada", "name": "Ada"})
        >>> settled(client.crm, event_ids)
    """
    with separately() as event_ids:
        yield event_ids
    recorded(event_ids)


@contextmanager
def separately() -> Iterator[list[ObjectId]]:
    """Collects the ids of the block, and hides them from the blocks around it."""
    event_ids: list[ObjectId] = []
    token = _collector.set(event_ids)
    try:
        yield event_ids
    finally:
        _collector.reset(token)


def recorded(event_ids: Iterable[ObjectId]) -> None:
    """Adds ids to the block that is open, if there is one."""
    collector = _collector.get()
    if collector is not None:
        collector.extend(event_ids)
