"""The stored bytes of a document's fields."""

from __future__ import annotations

from datetime import datetime

import bson
import pytest
from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.regex import Regex
from bson.timestamp import Timestamp

from outgraph_writer.stored import field_bytes

ENCODED = [
    *(0.5, "text", {"a": {"b": 1}}, [1, [2]], b"bytes", Binary(b"x", 2), ObjectId(), True, datetime(2026, 1, 1), None),
    *(Regex("a+", "im"), Code("f()"), Code("f()", {"a": 1}), 7, Timestamp(1, 2), Int64(7), Decimal128("1.5")),
    *(MinKey(), MaxKey()),
]
DEPRECATED = [
    pytest.param(b"\x06v\0", id="undefined"),
    pytest.param(b"\x0cv\0\x02\0\0\0c\0" + bytes(12), id="a pointer"),
    pytest.param(b"\x0ev\0\x04\0\0\0abc\0", id="a symbol"),
]
FIELDS = [pytest.param(bson.encode({"v": value})[4:-1], id=repr(value)) for value in ENCODED]


@pytest.mark.parametrize("field", [*FIELDS, *DEPRECATED])
def test_a_field_is_found_behind_one_of_every_type(field: bytes) -> None:
    def document(*fields: bytes) -> RawBSONDocument:
        content = b"".join(fields)
        return RawBSONDocument((len(content) + 5).to_bytes(4, "little") + content + b"\0")

    last = bson.encode({"last": 1})[4:-1]
    whole = document(field, last)
    assert field_bytes(whole, {b"v"}) == field
    assert field_bytes(whole, {b"last"}) == last
    assert field_bytes(whole, {b"v", b"last"}) == field + last
    assert field_bytes(whole, {b"other"}) == b""
