"""The Python writer of the test in which writers of three languages change the same aggregates.

See ``test/writers/interleaved/README.md``.
"""

import contextlib
import json
import os
import random
import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from outgraph_writer import graph, track_collection
from outgraph_writer.synchronous.transaction import in_transaction

Document = dict[str, Any]

WRITER = os.environ["WRITER"]
AGGREGATES = int(os.environ["AGGREGATES"])
TOUCH = {"$set": {"nodes.0.properties.touched": WRITER}}

client: MongoClient[Document] = MongoClient(os.environ["MONGODB_URI"])
documents = track_collection(client[os.environ["MONGODB_DATABASE"]], graph)


def main() -> None:
    ends = {"committed": 0, "aborted": 0, "failed": 0}
    until = time.monotonic() + int(os.environ["SECONDS"])
    count = 0
    while time.monotonic() < until:
        try:
            ends[change(random.randrange(10), f"{WRITER}-{count}")] += 1
        except PyMongoError as error:
            ends["failed"] += 1
            print(error, file=sys.stderr)
        count += 1
    client.close()
    print(json.dumps(ends))


def change(drawn: int, version: str) -> str:
    of = any_id()
    if drawn <= 3:
        documents.update_one({"_id": of}, {"$set": state(of, version)}, upsert=True)
    elif drawn == 4:
        documents.replace_one({"_id": of}, state(of, version), upsert=True)
    elif drawn == 5:
        documents.delete_one({"_id": of})
    elif drawn == 6:
        documents.update_many({"_id": {"$in": [of, any_id(), any_id()]}}, TOUCH)
    elif drawn == 7:
        documents.find_one_and_update({"_id": of}, TOUCH)
    elif drawn == 8:
        in_transaction(client, None, lambda session: change_two(session, of, version))
    else:
        abort(of)
        return "aborted"
    return "committed"


def change_two(session: ClientSession, of: str, version: str) -> None:
    documents.update_one({"_id": of}, {"$set": state(of, version)}, upsert=True, session=session)
    documents.delete_one({"_id": any_id()}, session=session)


def abort(of: str) -> None:
    with client.start_session() as session:
        session.start_transaction()
        # An error is a conflict or a new primary: abort then as well.
        with contextlib.suppress(PyMongoError):
            change_two(session, of, "aborted")
        if session.in_transaction:
            session.abort_transaction()


def any_id() -> str:
    return str(random.randrange(AGGREGATES))


def state(of: str, version: str) -> Document:
    source = {"label": "Interleaved", "key": {"id": of}}
    target = {"label": "InterleavedHub", "key": {"id": f"hub-{random.randrange(3)}"}}
    properties = {"version": version}
    return {
        "nodes": [{**source, "properties": properties}],
        "relationships": [{"type": "INTERLEAVED_AT", "from": source, "to": target, "properties": properties}],
    }


main()
