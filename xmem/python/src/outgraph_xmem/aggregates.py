"""XMem's five aggregate types, with the same fields and refusals as in outgraph's projections.

An invalid payload is refused with ``payload-invalid``.

Example:
    >>> users = track_collection(client.xmem, memory_user)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from outgraph_writer.aggregate import Aggregate, Problem
from outgraph_writer.stored import is_text

from outgraph_xmem.shapes import (
    Shape,
    boolean,
    fields,
    items,
    moment,
    name,
    number,
    optional,
    text,
    text_or_number,
)

_DAY_PATTERN: Final = re.compile(r"([0-9]{2})-([0-9]{2})")
_DAYS_IN_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def calendar_day(value: Any, path: str) -> Iterator[Problem]:
    """One of the 366 days of a leap year, as ``MM-DD``."""
    found = _DAY_PATTERN.fullmatch(value) if is_text(value) else None
    month, day = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS_IN_MONTH[month - 1]:
        yield path, 'must be one of the 366 days "MM-DD", from "01-01" to "12-31"'


def file_path(value: Any, path: str) -> Iterator[Problem]:
    """A path from the repository's root, such as ``src/index.ts``."""
    if not is_text(value) or not value or value.endswith("/"):
        yield path, "must be the path of a file"


def _directory_path(value: Any, path: str) -> Iterator[Problem]:
    if not is_text(value) or not value.endswith("/"):
        yield path, 'must end with "/"'


_REFERENCE: Final = {"from": name, "to": fields({"file_path": file_path, "symbol_name": name})}

_EVENT: Final = fields(
    {
        "user_id": name,
        "date": calendar_day,
        "event_name": optional(text),
        "desc": optional(text),
        "year": optional(text_or_number),
        "time": optional(text),
        "date_expression": optional(text),
        "embedding": optional(items(number)),
    }
)

_SYMBOL: Final = fields(
    {
        "symbol_name": name,
        "symbol_type": optional(text),
        "summary": optional(text),
        "signature": optional(text),
        "docstring": optional(text),
        "start_line": optional(number),
        "end_line": optional(number),
        "line_count": optional(number),
        "parent_class": optional(text),
        "is_public": optional(boolean),
        "is_entrypoint": optional(boolean),
        "complexity_bucket": optional(text),
        "language": optional(text),
        "content_hash": optional(text),
        "signature_hash": optional(text),
    }
)

_FILE: Final = fields(
    {
        "org_id": name,
        "repo": name,
        "file_path": file_path,
        "language": optional(text),
        "summary": optional(text),
        "symbol_count": optional(number),
        "total_lines": optional(number),
        "commit_sha": optional(text),
        "symbols": optional(items(_SYMBOL)),
        "calls": optional(
            items(fields({**_REFERENCE, "call_count": optional(number), "is_direct": optional(boolean)}))
        ),
        "imports": optional(items(fields({"file_path": file_path, "import_type": optional(text)}))),
        "inherits": optional(items(fields(_REFERENCE))),
        "implements": optional(items(fields(_REFERENCE))),
    }
)

_TARGETS: Final[Mapping[str, Shape]] = {
    "symbol": fields({"file_path": file_path, "symbol_name": name, "relevance": optional(number)}),
    "file": fields({"file_path": file_path, "relevance": optional(number)}),
    "directory": fields({"dir_path": _directory_path, "relevance": optional(number)}),
}


def _target(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield path, "must be a document"
        return
    kind = value.get("kind")
    shape = _TARGETS.get(kind) if is_text(kind) else None
    if shape is None:
        yield f"{path}.kind", f"must be one of {', '.join(_TARGETS)}"
    else:
        yield from shape(value, path)


_ANNOTATION: Final = fields(
    {
        "annotation_id": name,
        "org_id": name,
        "repo": name,
        "content": optional(text),
        "annotation_type": optional(text),
        "severity": optional(text),
        "author_id": optional(text),
        "author_name": optional(text),
        "status": optional(text),
        "created_at": optional(moment),
        "resolved_at": optional(moment),
        "resolved_by": optional(text),
        "target": _target,
    }
)


def _check_file(payload: Mapping[str, Any]) -> Iterator[Problem]:
    problems = list(_FILE(payload, ""))
    yield from problems
    if problems:
        return
    declared = {symbol["symbol_name"] for symbol in payload.get("symbols") or ()}
    for field in ("calls", "inherits", "implements"):
        for index, reference in enumerate(payload.get(field) or ()):
            if reference["from"] not in declared:
                yield f"{field}[{index}].from", "must be a symbol of this file"


def _declare(kind: str, collection: str, shape: Shape) -> Aggregate:
    return Aggregate(type=kind, collection=collection, check=lambda payload: shape(payload, ""))


#: A user: ``{_id, user_id}``.
memory_user: Final = _declare("memory-user", "memory_users", fields({"user_id": name}))
#: A dated event of a user.
memory_event: Final = _declare("memory-event", "memory_events", _EVENT)
#: A repository: ``{_id, org_id, repo_name}``.
code_repository: Final = _declare("code-repository", "code_repositories", fields({"org_id": name, "repo_name": name}))
#: A scanned file with its symbols, calls, imports, inherits and implements.
code_file: Final = Aggregate(type="code-file", collection="code_files", check=_check_file)
#: An annotation with its target.
code_annotation: Final = _declare("code-annotation", "code_annotations", _ANNOTATION)

#: All five aggregate types.
xmem_aggregates: Final = (memory_user, memory_event, code_repository, code_file, code_annotation)
