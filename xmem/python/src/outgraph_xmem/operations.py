"""The parts of XMem's operations that do not call the driver: arguments, indexes, documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from outgraph_writer.fault import Fault
from outgraph_writer.stored import stored_id, to_raw

from outgraph_xmem.aggregates import calendar_day, code_annotation, code_file, code_repository, file_path
from outgraph_xmem.aggregates import memory_event as event_aggregate
from outgraph_xmem.aggregates import memory_user as user_aggregate
from outgraph_xmem.shapes import Shape, name

#: The indexes: collection, fields, and whether the index is unique.
INDEXES: Final[Sequence[tuple[str, Sequence[str], bool]]] = (
    (user_aggregate.collection, ("user_id",), True),
    (event_aggregate.collection, ("user_id", "date"), False),
    (event_aggregate.collection, ("user_id", "event_name"), False),
    (code_repository.collection, ("org_id", "repo_name"), True),
    (code_file.collection, ("org_id", "repo", "file_path"), True),
    (code_annotation.collection, ("annotation_id",), True),
    (code_annotation.collection, ("org_id", "repo"), False),
)


class EventChanges(TypedDict, total=False):
    """The fields of an event to change. A field that is None is cleared; a missing field does not change.

    Example:
        >>> memory.update_event(event_id, {"time": "09:00", "desc": None})
    """

    date: str
    event_name: str | None
    desc: str | None
    year: str | int | None
    time: str | None
    date_expression: str | None
    embedding: Sequence[float] | None


@dataclass(frozen=True)
class ScanOutcome:
    """The number of files that a scan wrote, found unchanged, and removed: ``ScanOutcome(1, 2, 0)``."""

    written: int
    unchanged: int
    removed: int


def require_name(value: object, what: str) -> str:
    """A text that is not empty. Any other value would be a filter that matches more than one thing."""
    return _required(name, value, what)


def require_day(value: object) -> str:
    """One of the 366 days."""
    return _required(calendar_day, value, "date")


def require_path(value: object, what: str) -> str:
    """The path of a file."""
    return _required(file_path, value, what)


def _required(shape: Shape, value: Any, what: str) -> str:
    for path, problem in shape(value, what):
        raise Fault("payload-invalid", f"{path}: {problem}.")
    return str(value)


def event_update(changes: EventChanges) -> dict[str, Any]:
    """The MongoDB update that makes these changes."""
    unknown = changes.keys() - EventChanges.__annotations__.keys()
    if unknown:
        raise Fault("payload-invalid", f"{min(unknown)}: an event has no changeable field of this name.")
    given = {field: listed(value) for field, value in changes.items() if value is not None}
    cleared = {field: "" for field, value in changes.items() if value is None}
    return ({"$set": given} if given else {}) | ({"$unset": cleared} if cleared else {})


def listed(value: object) -> object:
    """A sequence as a list, for BSON."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def file_documents(org_id: str, repo: str, files: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The documents of scanned files, by path."""
    documents: dict[str, dict[str, Any]] = {}
    for index, file in enumerate(files):
        path = require_path(file.get("file_path"), f"files[{index}].file_path")
        if path in documents:
            raise Fault("payload-invalid", f"files[{index}].file_path: another file of this scan has the same path.")
        found = {field: value for field, value in file.items() if field not in ("_id", "org_id", "repo")}
        documents[path] = {"org_id": org_id, "repo": repo} | found
    return documents


def changed_files(
    known: Iterable[RawBSONDocument], documents: Mapping[str, dict[str, Any]], options: CodecOptions[Any]
) -> dict[str, dict[str, Any]]:
    """The documents that are new, or differ from the stored ones."""
    unchanged = {
        document["file_path"]
        for document in known
        if to_raw({"_id": stored_id(document)} | documents[document["file_path"]], options).raw == document.raw
    }
    return {path: document for path, document in documents.items() if path not in unchanged}


def renamed(document: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The document of a file with its new path, also in the references to itself."""

    def moved(target: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**target, "file_path": new} if target["file_path"] == old else target

    changed = {field: value for field, value in document.items() if field != "_id"} | {"file_path": new}
    for field in ("calls", "inherits", "implements"):
        if changed.get(field):
            changed[field] = [{**reference, "to": moved(reference["to"])} for reference in changed[field]]
    if changed.get("imports"):
        changed["imports"] = [moved(imported) for imported in changed["imports"]]
    return changed
