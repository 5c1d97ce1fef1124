"""Plays the consumer for events of a test's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from threading import Event, Thread
from typing import Any

from pymongo import MongoClient
from support import mongodb_uri

from outgraph_writer import OUTBOX


@contextmanager
def consuming(database: str) -> Iterator[None]:
    """Marks events as processed while the block runs."""
    stopped = Event()

    def consume() -> None:
        with MongoClient[dict[str, Any]](mongodb_uri()) as client:
            while not stopped.wait(0.02):
                processed = {"status": "processed", "processedAt": datetime.now(timezone.utc)}
                client[database][OUTBOX].update_many({"status": "pending"}, {"$set": processed})

    consumer = Thread(target=consume)
    consumer.start()
    try:
        yield
    finally:
        stopped.set()
        consumer.join()
