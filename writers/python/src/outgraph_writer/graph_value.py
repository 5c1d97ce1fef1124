"""Checks that Neo4j can hold a BSON value as a property or as a key. A fault names the path of the value."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, Final

from bson.binary import UUID_SUBTYPE, Binary
from bson.datetime_ms import DatetimeMS
from bson.objectid import ObjectId

from outgraph_writer.fault import Fault
from outgraph_writer.stored import is_text

# The range of JavaScript dates, which the consumer uses.
_DATE_MAX_MILLIS: Final = 8_640_000_000_000_000

# An array may contain numbers of both kinds, and becomes an array of doubles.
_NUMBERS: Final = frozenset({"an integer", "a float"})

_GEOMETRIES: Final = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)
#: The axes of a point with their limits. The last is the altitude.
_AXES: Final = (("longitude", 180.0), ("latitude", 90.0), ("altitude", sys.float_info.max))

_NAMES: Final = {
    "NoneType": "null",
    "bool": "a boolean",
    "str": "a string",
    "int": "an integer",
    "Int64": "an integer",
    "float": "a double",
    "datetime": "a date",
    "bytes": "Binary",
    "dict": "a nested object",
    "list": "an array",
}


def check_property(value: Any, path: str) -> None:
    """Checks a property value. Null means that the property is absent.

    Raises:
        Fault: ``value-unsupported`` for a nested object, a nested array, an array of several types, null in an array,
            a geometry that is no point, Decimal128, binary and other types.
    """
    if value is None:
        return
    if not isinstance(value, list):
        _kind(value, path)
        return
    kinds = [_kind(element, f"{path}[{index}]") for index, element in enumerate(value)]
    for index, kind in enumerate(kinds):
        if kind != kinds[0] and not {kind, kinds[0]} <= _NUMBERS:
            raise Fault(
                "value-unsupported",
                f"{path}[{index}]: an array must hold one type, and this element is not {kinds[0]} like the first.",
            )
        if kind == "an integer" and "a float" in kinds and int(float(value[index])) != value[index]:
            raise Fault(
                "value-unsupported",
                f"{path}[{index}]: in an array with doubles, an integer must be exact as a double; "
                "store the elements as integers, or all of them as doubles.",
            )


def key_value(value: Any, path: str) -> tuple[str, Any]:
    """A key's value with its kind, so that the integer 1 is not the boolean true. An ObjectId and a UUID become text.

    Raises:
        Fault: ``key-invalid`` unless it is a string, an integer or a boolean.
    """
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int):
        return "integer", int(value)
    if is_text(value) or isinstance(value, ObjectId):
        return "string", str(value)
    if isinstance(value, Binary) and _is_uuid(value):
        return "string", str(value.as_uuid())
    raise Fault(
        "key-invalid", f"{path}: a key value must be a string, an integer or a boolean, not {_describe(value)}."
    )


def _kind(value: Any, path: str) -> str:
    if is_text(value):
        return "a string"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a float"
    if isinstance(value, datetime):
        return "a date"
    if isinstance(value, DatetimeMS):
        if abs(int(value)) > _DATE_MAX_MILLIS:
            raise _unsupported(path, "a date outside the range of JavaScript dates")
        return "a date"
    if isinstance(value, ObjectId):
        return "an objectId"
    if isinstance(value, Binary) and _is_uuid(value):
        return "a uuid"
    if isinstance(value, dict) and is_text(value.get("type")) and value["type"] in _GEOMETRIES:
        return _point(value, path)
    raise _unsupported(path, _describe(value))


def _point(value: dict[str, Any], path: str) -> str:
    """The kind of a GeoJSON Point, by its dimensions."""
    if value["type"] != "Point":
        raise _invalid(path, f"a GeoJSON {value['type']} cannot be a property value; use a Point")
    for field in value:
        if field not in ("type", "coordinates"):
            raise _invalid(
                path, f"a GeoJSON Point with the field {field} cannot be a property value; use type and coordinates"
            )
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) not in (2, 3):
        raise _invalid(
            f"{path}.coordinates",
            "a GeoJSON Point has an array of two or three numbers: longitude, latitude and altitude",
        )
    for index, coordinate in enumerate(coordinates):
        name, limit = _AXES[index]
        if isinstance(coordinate, (int, float)) and not isinstance(coordinate, bool) and abs(coordinate) <= limit:
            continue
        allowed = "a finite number" if name == "altitude" else f"a number from -{limit:g} to {limit:g}"
        raise _invalid(f"{path}.coordinates[{index}]", f"the {name} of a GeoJSON Point must be {allowed}")
    return "a point" if len(coordinates) == 2 else "a point with an altitude"


def _invalid(path: str, what: str) -> Fault:
    return Fault("value-unsupported", f"{path}: {what}.")


def _is_uuid(value: Binary) -> bool:
    """Subtype 4 only: the byte order of the older subtype 3 differs from driver to driver."""
    return value.subtype == UUID_SUBTYPE and len(value) == 16


def _describe(value: Any) -> str:
    name = type(value).__name__
    return _NAMES.get(name, name)


def _unsupported(path: str, what: str) -> Fault:
    return Fault(
        "value-unsupported",
        f"{path}: {what} cannot be a property value; "
        "use a string, boolean, integer, double, date, ObjectId, UUID, GeoJSON Point, or an array of one of these.",
    )
