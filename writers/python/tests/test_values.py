"""What the driver stores: the column of Python in docs/reference/values.md."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import bson
import pytest
from bson.binary import UUID_SUBTYPE, UuidRepresentation
from bson.codec_options import CodecOptions

_STANDARD: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


@pytest.mark.parametrize(
    ("value", "stored"),
    [(1, 0x10), (2**31, 0x12), (1.5, 0x01), (1.0, 0x01), (b"a", 0x05), (UUID(int=1), 0x05)],
)
def test_a_value_is_stored_with_this_type(value: object, stored: int) -> None:
    assert bson.encode({"v": value}, codec_options=_STANDARD)[4] == stored


def test_a_uuid_is_stored_with_the_subtype_that_the_graph_reads() -> None:
    read = bson.decode(bson.encode({"v": UUID(int=1)}, codec_options=_STANDARD))
    assert read["v"].subtype == UUID_SUBTYPE
