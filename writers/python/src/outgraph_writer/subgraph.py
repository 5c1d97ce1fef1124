"""Checks the payload of a ``graph`` against every rule of the subgraph that needs no database.

The codes and paths are those of outgraph's consumer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from outgraph_writer.fault import Fault
from outgraph_writer.graph_value import check_property, key_value
from outgraph_writer.stored import is_text

#: The maximum number of nodes and relationships in one subgraph. Endpoints do not count.
MAX_ELEMENTS: Final = 10_000

_NAME_PATTERN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_REGISTRY_LABEL: Final = "OutgraphAggregate"
_BOOKKEEPING_PREFIX: Final = "_outgraph"

_Fields: TypeAlias = dict[str, Any]
#: A label and its key: names with typed values, in the order of the names.
_Endpoint: TypeAlias = tuple[str, tuple[tuple[str, tuple[str, Any]], ...]]


def check_subgraph(raw: Mapping[str, Any]) -> None:
    """Raises the first fault of a subgraph. Its message begins with the path of the error."""
    fields = _fields(raw, "subgraph", ("nodes", "relationships"))
    nodes = _list(fields.get("nodes"), "nodes")
    relationships = _list(fields.get("relationships"), "relationships")
    size = len(nodes) + len(relationships)
    if size > MAX_ELEMENTS:
        raise Fault(
            "subgraph-too-large",
            f"subgraph: {size} elements, at most {MAX_ELEMENTS} are allowed; "
            "move lists that grow without bound to aggregates of their own.",
        )
    ends = [(_node(node, path), path) for path, node in _paths(nodes, "nodes")]
    edges = [(_relationship(edge, path), path) for path, edge in _paths(relationships, "relationships")]
    _refuse_duplicates([end for end, _ in ends], "nodes")
    _refuse_duplicates([edge for edge, _ in edges], "relationships")
    for (_, start, end, _), path in edges:
        ends += [(start, f"{path}.from"), (end, f"{path}.to")]
    _refuse_mixed_keys(ends)


def _paths(items: list[Any], name: str) -> Iterable[tuple[str, Any]]:
    return ((f"{name}[{index}]", item) for index, item in enumerate(items))


def _node(raw: Any, path: str) -> _Endpoint:
    fields = _fields(raw, path, ("label", "key", "labels", "properties", "shared"))
    endpoint = _name_and_key(fields, path)
    label, key = endpoint
    shared = _shared(fields, path)
    further = [_label(name, at) for at, name in _paths(_list(fields.get("labels"), f"{path}.labels"), f"{path}.labels")]
    properties = _properties(fields.get("properties"), f"{path}.properties")
    for name, _ in key:
        if name in properties:
            raise Fault(
                "subgraph-invalid",
                f"{path}.properties.{name}: a key property may not appear again under properties.",
            )
    if shared and (properties or set(further) - {label}):
        raise Fault(
            "subgraph-invalid",
            f"{path}: a shared node has neither labels nor properties; leave them out, or own the node.",
        )
    return endpoint


def _relationship(raw: Any, path: str) -> tuple[str, _Endpoint, _Endpoint, str | None]:
    fields = _fields(raw, path, ("type", "from", "to", "key", "properties", "shared"))
    kind = _name(fields.get("type"), f"{path}.type")
    start = _name_and_key(_fields(fields.get("from"), f"{path}.from", ("label", "key")), f"{path}.from")
    end = _name_and_key(_fields(fields.get("to"), f"{path}.to", ("label", "key")), f"{path}.to")
    key = fields.get("key")
    if key is not None and not is_text(key):
        raise Fault("subgraph-invalid", f"{path}.key: must be a string.")
    shared = _shared(fields, path)
    if _properties(fields.get("properties"), f"{path}.properties") and shared:
        raise Fault("subgraph-invalid", f"{path}: a shared relationship has no properties; leave them out, or own it.")
    return kind, start, end, key


def _name_and_key(fields: _Fields, path: str) -> _Endpoint:
    label = _label(fields.get("label"), f"{path}.label")
    key = _object(fields.get("key"), f"{path}.key")
    if not key:
        raise Fault("key-invalid", f"{path}.key: at least one key property is needed.")
    return label, tuple(
        (_name(name, f"{path}.key.{name}"), key_value(key[name], f"{path}.key.{name}")) for name in sorted(key)
    )


def _properties(raw: Any, path: str) -> set[str]:
    """The names of the properties that are not null: null means absent."""
    properties = {} if raw is None else _object(raw, path)
    for name, value in properties.items():
        check_property(value, f"{path}.{_name(name, f'{path}.{name}')}")
    return {name for name, value in properties.items() if value is not None}


def _shared(fields: _Fields, path: str) -> bool:
    shared = fields.get("shared")
    if shared is not None and not isinstance(shared, bool):
        raise Fault("subgraph-invalid", f"{path}.shared: must be true or false.")
    return shared is True


def _label(raw: Any, path: str) -> str:
    if raw == _REGISTRY_LABEL:
        raise Fault("name-invalid", f"{path}: {_REGISTRY_LABEL} is kept for outgraph itself.")
    return _name(raw, path)


def _name(raw: Any, path: str) -> str:
    if not is_text(raw):
        raise Fault("name-invalid", f"{path}: a name must be a string.")
    if raw.startswith(_BOOKKEEPING_PREFIX):
        raise Fault(
            "name-invalid", f"{path}: names that begin with {_BOOKKEEPING_PREFIX} are kept for outgraph itself."
        )
    if _NAME_PATTERN.fullmatch(raw) is None:
        raise Fault("name-invalid", f"{path}: a name must match ^{_NAME_PATTERN.pattern}$.")
    return raw


def _list(raw: Any, path: str) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise Fault("subgraph-invalid", f"{path}: must be an array.")
    return raw


def _fields(raw: Any, path: str, known: tuple[str, ...]) -> _Fields:
    fields = _object(raw, path)
    for name in fields:
        if name not in known:
            raise Fault("subgraph-invalid", f"{path}.{name}: unknown field; allowed are {', '.join(known)}.")
    return fields


def _object(raw: Any, path: str) -> _Fields:
    if not isinstance(raw, dict):
        raise Fault("subgraph-invalid", f"{path}: must be an object.")
    return raw


def _refuse_duplicates(identities: list[Any], name: str) -> None:
    seen: dict[Any, int] = {}
    for index, identity in enumerate(identities):
        first = seen.setdefault(identity, index)
        if first != index:
            raise Fault("element-duplicate", f"{name}[{index}]: the same as {name}[{first}]; list it once.")


def _refuse_mixed_keys(ends: Iterable[tuple[_Endpoint, str]]) -> None:
    """Refuses a label with different key properties: it has one set of them everywhere, so also in one subgraph."""
    key_names: dict[str, str] = {}
    for (label, key), path in ends:
        names = ", ".join(name for name, _ in key)
        first = key_names.setdefault(label, names)
        if first != names:
            raise Fault(
                "key-mismatch",
                f"{path}.key: {label} is keyed by {first} elsewhere in this subgraph, not by {names}.",
            )
