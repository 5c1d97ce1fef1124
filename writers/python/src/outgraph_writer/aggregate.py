"""Maps a collection to an aggregate type: the writer's counterpart of a projection of outgraph's consumer."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from bson.binary import UUID_SUBTYPE, Binary
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument

from outgraph_writer.fault import Fault
from outgraph_writer.stored import exact, exact_before, is_text

#: An error of a payload: the path below it (``address.street``, ``symbols[0].name``, or empty for the payload itself),
#: and a sentence. A check yields, for example, ``("address.street", "must not be empty")``.
Problem: TypeAlias = tuple[str, str]

_TYPE_PATTERN: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SAFE_INTEGER: Final = 2**53 - 1


def document_id(document: Mapping[str, Any]) -> str:
    """Returns the text of a document's ``_id``, the same as in outgraph's other writers.

    It is the hexadecimal digits of an ObjectId, the text of a UUID, the digits of an integer, or a string unchanged.

    Raises:
        Fault: ``event-invalid`` for an ``_id`` of another type, which has no such text. Declare an ``id`` of your own.

    Example:
        >>> document_id({"_id": 7})
        '7'
    """
    value = document.get("_id")
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE and len(value) == 16:
        return str(UUID(bytes=bytes(value)))
    if isinstance(value, float) and value.is_integer() and abs(value) <= _SAFE_INTEGER:
        return str(int(value))
    if (
        is_text(value)
        or isinstance(value, (ObjectId, UUID))
        or (isinstance(value, int) and not isinstance(value, bool))
    ):
        return str(value)
    raise Fault(
        "event-invalid",
        f"aggregateId: an _id of type {type(value).__name__} has no text of its own; "
        "declare the aggregate with an id function.",
    )


@dataclass(frozen=True)
class Aggregate:
    """An aggregate type: each document of ``collection`` is one unit of change.

    Raises:
        Fault: ``event-invalid`` if ``type`` is not allowed.
        ValueError: if ``fields`` are not names of top-level fields.

    Example:
        >>> person = Aggregate(type="person", collection="people")
    """

    type: str
    """The event's ``aggregateType``: lower-case words joined by hyphens, at most 64 characters.

    It names the projection, which the consumer must know.
    """
    collection: str
    """The name of the collection whose documents are these aggregates."""
    id: Callable[[Mapping[str, Any]], str] = document_id
    """Returns the ``aggregateId`` of a document.

    The id is text that no other document of the collection has. It never changes while the document exists, and is not
    reused after it. The text of an ``_id`` is the same for 7 and "7", and for an ObjectId and its digits: use one type
    of ``_id`` in a collection.
    """
    check: Callable[[Mapping[str, Any]], Iterable[Problem]] | None = None
    """Returns the errors of a payload, which is then refused in the writer's own transaction.

    Without a check, the consumer's projection alone decides.
    """

    fields: Collection[str] | None = None
    """The top-level fields of a document that the projection and the check read.

    An update that changes only other fields records no event. None means every field.
    """

    def __post_init__(self) -> None:
        if _TYPE_PATTERN.fullmatch(self.type) is None or len(self.type) > 64:
            raise Fault(
                "event-invalid",
                f'aggregateType: "{self.type}" is not allowed; '
                "use lower-case words joined by hyphens, at most 64 characters.",
            )
        # A path would match no field, so that its changes were never recorded.
        if isinstance(self.fields, str) or any("." in name for name in self.fields or ()):
            raise ValueError('fields: name the top-level fields in a list: ["name", "address"].')


def id_of(aggregate: Aggregate, document: RawBSONDocument) -> str:
    """The aggregate id of a document. It is checked with the event."""
    return aggregate.id(exact(document))


def id_before(aggregate: Aggregate, document: RawBSONDocument) -> str:
    """The aggregate id of a document as it was before a write."""
    return aggregate.id(exact_before(document))


def check_payload(aggregate: Aggregate, payload: RawBSONDocument) -> None:
    """Raises a fault for a payload that its aggregate refuses."""
    decoded = exact(payload)
    if aggregate.check is None:
        return
    try:
        problems = list(aggregate.check(decoded))
    except Fault:
        raise
    except Exception as error:
        raise Fault("projection-failed", f'The check of "{aggregate.type}" raised {type(error).__name__}.') from error
    if problems:
        texts = (f"payload.{path}: {text}" if path else f"payload: {text}" for path, text in problems)
        raise Fault("payload-invalid", f'The payload is not a "{aggregate.type}": {"; ".join(texts)}.')
