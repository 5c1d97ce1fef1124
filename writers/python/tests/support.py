"""Shared by the tests of both clients: the server's address, the conformance tables, and the names of refusals."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import uuid4

import bson
import pytest
from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from outgraph_writer import Fault

Document: TypeAlias = dict[str, Any]

PROJECT: Final = Path(__file__).resolve().parents[3]
RAW: Final = CodecOptions(document_class=RawBSONDocument)


def mongodb_uri() -> str:
    """The replica set that the tests run against. Without one, the tests fail; they are never skipped."""
    uri = os.environ.get("MONGODB_URI")
    if not uri:
        raise RuntimeError("These tests need a replica set: set MONGODB_URI.")
    return uri


def new_database_name() -> str:
    return f"outgraph_python_{uuid4().hex[:12]}"


def outbox_options() -> Document:
    """The options of the outbox's collection, as in outgraph's set-up."""
    return {"validator": json_util.loads((PROJECT / "schema/outbox.validator.json").read_text())}


def each_case(
    table: str, keep: Callable[[Document], bool] = lambda _: True, folder: str = "test/conformance"
) -> pytest.MarkDecorator:
    """Runs a test for each case of a conformance table, with each value in its BSON type."""
    options = json_util.CANONICAL_JSON_OPTIONS
    cases = json_util.loads((PROJECT / f"{folder}/{table}.json").read_text(), json_options=options)["cases"]
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases if keep(case)])


def exactly(document: Mapping[str, Any] | None) -> bytes | None:
    """The document's bytes. Documents that differ in a type, or in the order of their fields, have different bytes."""
    return None if document is None else bytes(bson.encode(document))


def operations_of(given: list[Document]) -> list[Any]:
    """The driver's operations of a bulk write in a conformance table."""
    return [
        _OPERATIONS[kind](*_arguments(fields), **_options(fields)) for call in given for kind, fields in call.items()
    ]


_OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "insertOne": InsertOne,
    "updateOne": UpdateOne,
    "updateMany": UpdateMany,
    "replaceOne": ReplaceOne,
    "deleteOne": DeleteOne,
    "deleteMany": DeleteMany,
}


def _arguments(fields: Document) -> list[Any]:
    return [fields[name] for name in ("document", "filter", "update", "replacement") if name in fields]


def _options(fields: Document) -> Document:
    return {name: fields[name] for name in ("upsert", "hint", "collation") if name in fields}


def by_aggregate(events: list[Document]) -> dict[str, list[tuple[str, bytes | None]]]:
    """The events of each aggregate, in their order."""
    grouped: dict[str, list[tuple[str, bytes | None]]] = {}
    for event in events:
        entry = (event["operation"], exactly(event.get("payload")))
        grouped.setdefault(event["aggregateId"], []).append(entry)
    return grouped


def refusal_of(error: BaseException) -> str:
    """The name that the conformance tables use for an error."""
    if isinstance(error, Fault):
        return error.code
    if isinstance(error, (ValueError, TypeError)):
        return "invalid-call"
    if isinstance(error, BulkWriteError):
        return _server_refusal(error.details["writeErrors"][0]["code"])
    if isinstance(error, OperationFailure):
        return _server_refusal(error.code)
    return type(error).__name__


def _server_refusal(code: int | None) -> str:
    return {121: "validator", 11000: "duplicate-key"}.get(code or 0, str(code))
