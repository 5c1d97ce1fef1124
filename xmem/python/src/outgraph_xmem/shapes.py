"""Checks of the shape of a payload, composed of small checks. Each yields the problems of a value with their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from bson.datetime_ms import DatetimeMS
from outgraph_writer.aggregate import Problem
from outgraph_writer.stored import is_text

#: A function from a value and its path to the problems of the value.
Shape: TypeAlias = Callable[[Any, str], Iterator[Problem]]


def text(value: Any, path: str) -> Iterator[Problem]:
    if not is_text(value):
        yield path, "must be a text"


def name(value: Any, path: str) -> Iterator[Problem]:
    """A text for a key. It must not be empty."""
    if not is_text(value) or not value:
        yield path, "must be a text that is not empty"


def number(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield path, "must be a number"


def boolean(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield path, "must be true or false"


def text_or_number(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not (is_text(value) or isinstance(value, (int, float))):
        yield path, "must be a text or a number"


def moment(value: Any, path: str) -> Iterator[Problem]:
    if not (is_text(value) or isinstance(value, (datetime, DatetimeMS))):
        yield path, "must be a text or a date"


def optional(shape: Shape) -> Shape:
    """Null and absent mean the same."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if value is not None:
            yield from shape(value, path)

    return check


def items(shape: Shape) -> Shape:
    """A list of values of this shape."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield path, "must be a list"
            return
        for index, item in enumerate(value):
            yield from shape(item, f"{path}[{index}]")

    return check


def fields(shapes: Mapping[str, Shape]) -> Shape:
    """A document with these fields. Other fields are ignored."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield path, "must be a document"
            return
        for field, shape in shapes.items():
            yield from shape(value.get(field), f"{path}.{field}" if path else field)

    return check
