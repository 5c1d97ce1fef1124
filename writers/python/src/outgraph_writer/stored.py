"""Documents as the bytes that are stored. Everything that is compared or becomes a payload stays in this form, so that nothing changes on its way into the outbox.

Decoded to a ``dict``, a document would be what the program's codec options make of it (dates, UUIDs, classes of its own), and BSON's rarer types would become others; a
``RawBSONDocument`` is encoded as the bytes that it was made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

import bson
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

#: How a document is decoded for ids and checks, whatever the program's own options are: int64 is ``Int64``, a UUID is a ``Binary`` of subtype 4, dates are in UTC, or a ``DatetimeMS``
#: where Python has no such date.
EXACT: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)

_RAW: Final = CodecOptions(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def raw_options(options: CodecOptions[Any]) -> CodecOptions[RawBSONDocument]:
    """The program's own options for what it sends (filters, updates), with documents read as their bytes."""
    return options.with_options(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def to_raw(document: Mapping[str, Any], options: CodecOptions[Any]) -> RawBSONDocument:
    """The bytes that PyMongo sends for a document."""
    if isinstance(document, RawBSONDocument):
        return document
    return RawBSONDocument(bson.encode(document, codec_options=options), _RAW)


def exact(document: RawBSONDocument) -> dict[str, Any]:
    """The document decoded without loss of a value's type."""
    return bson.decode(document.raw, EXACT)


def is_stored_as_sent(document: RawBSONDocument) -> bool:
    """Whether an insert stores these bytes. The server puts ``_id`` first, and its time in the place of an empty timestamp; both it does at the top level only.

    https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
    """
    return next(iter(document), None) == "_id" and Timestamp(0, 0) not in document.values()


def stored_id(document: RawBSONDocument) -> Any:
    """The ``_id``, as a value that any client encodes as it is stored."""
    return RawBSONDocument(document.raw, _RAW)["_id"]


def id_bytes(document: RawBSONDocument) -> bytes:
    """The ``_id`` with its type, to match two images of one document by."""
    return bson.encode({"": stored_id(document)})


def is_text(value: object) -> TypeGuard[str]:
    """Whether the value is a BSON string. JavaScript code is one for Python only."""
    return isinstance(value, str) and not isinstance(value, Code)
