"""Documents as their stored bytes.

Documents that are compared or become a payload stay in this form, so that nothing changes on the way to the outbox. A
``dict`` would depend on the program's codec options (dates, UUIDs, classes of its own), and BSON's rarer types would
become others. A ``RawBSONDocument`` is encoded as the bytes that it was made of.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, MutableMapping
from typing import Any, Final, TypeGuard, TypeVar, cast

import bson
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import InvalidBSON
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from outgraph_writer.fault import Fault

_Document = TypeVar("_Document", bound=MutableMapping[str, Any])

#: The options that decode a document for ids and checks, independent of the program's own options: an int64 is an
#: ``Int64``, a UUID is a ``Binary`` of subtype 4, and a date is in UTC, or a ``DatetimeMS`` if Python has no such date.
EXACT: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)

#: The options that read the top level of a document. ``exact`` decodes all of it, and refuses text that is not UTF-8.
_RAW: Final = CodecOptions(
    document_class=RawBSONDocument,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)


def raw_options(options: CodecOptions[Any]) -> CodecOptions[RawBSONDocument]:
    """The program's own options for what it sends (filters, updates), with documents read as their bytes."""
    return options.with_options(
        document_class=RawBSONDocument,
        datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        unicode_decode_error_handler="replace",
    )


def with_own_id(document: _Document) -> _Document:
    """The document with an ``_id``.

    The driver adds none to a ``RawBSONDocument``, and does not return an ``_id`` that the server adds.
    """
    if "_id" in document:
        return document
    if not isinstance(document, RawBSONDocument):
        document["_id"] = ObjectId()
        return document
    fields = bson.encode({"_id": ObjectId()})[4:-1] + document.raw[4:]
    return cast("_Document", RawBSONDocument((len(fields) + 4).to_bytes(4, "little") + fields))


def to_raw(document: Mapping[str, Any], options: CodecOptions[Any]) -> RawBSONDocument:
    """The bytes that PyMongo sends for a document."""
    raw = document.raw if isinstance(document, RawBSONDocument) else bson.encode(document, codec_options=options)
    return RawBSONDocument(raw, _RAW)


def exact(document: RawBSONDocument) -> dict[str, Any]:
    """The document decoded without loss of a value's type.

    Raises:
        Fault: ``event-invalid`` if a text is not UTF-8.
    """
    try:
        return bson.decode(document.raw, EXACT)
    except InvalidBSON as error:
        raise Fault("event-invalid", "payload: the document cannot be decoded. Store text as UTF-8.") from error


def exact_before(document: RawBSONDocument) -> dict[str, Any]:
    """The document before a write.

    Text that is not UTF-8 is replaced, so that such a document can be corrected or deleted.
    """
    return bson.decode(document.raw, EXACT.with_options(unicode_decode_error_handler="replace"))


def is_stored_as_sent(document: RawBSONDocument) -> bool:
    """Whether an insert stores these bytes.

    The server moves ``_id`` to the front, and fills in empty timestamps. It does both only at the top level.

    https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
    """
    return next(iter(document), None) == "_id" and Timestamp(0, 0) not in document.values()


def stored_id(document: RawBSONDocument) -> Any:
    """The ``_id`` as a value that any client encodes to the stored bytes."""
    return RawBSONDocument(document.raw, _RAW)["_id"]


def id_bytes(document: RawBSONDocument) -> bytes:
    """The bytes of the ``_id`` with its type, which match two images of one document."""
    return bson.encode({"": stored_id(document)})


def id_key(document: RawBSONDocument) -> object:
    """A key that is equal for ids that are equal to MongoDB: it compares numbers of all types."""
    value = stored_id(document)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else id_bytes(document)


#: The bytes of a value by its type: a number, or what is added to the length that the value begins with.
#:
#: https://bsonspec.org/spec.html
_FIXED: Final = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16}
_COUNTED: Final = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0}
_EXPRESSION: Final = 0x0B


def field_bytes(document: RawBSONDocument, names: Container[bytes]) -> bytes:
    """The stored bytes of the top-level fields with these names, in their order.

    Decoding them first would make some types equal, such as a symbol and a string.
    """
    raw, start, fields = bytes(document.raw), 4, b""
    while kind := raw[start]:
        value = raw.index(0, start + 1) + 1
        if kind == _EXPRESSION:
            end = raw.index(0, raw.index(0, value) + 1) + 1
        elif kind in _COUNTED:
            end = value + int.from_bytes(raw[value : value + 4], "little") + _COUNTED[kind]
        else:
            end = value + _FIXED.get(kind, 0)
        if raw[start + 1 : value - 1] in names:
            fields += raw[start:end]
        start = end
    return fields


def is_text(value: object) -> TypeGuard[str]:
    """Whether the value is a BSON string. In Python alone, JavaScript code is a ``str`` too."""
    return isinstance(value, str) and not isinstance(value, Code)
