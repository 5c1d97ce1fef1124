"""The built-in aggregate type ``graph``: its payload is the subgraph itself, so that a writer needs no projection of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from outgraph_writer.aggregate import Aggregate, Problem
from outgraph_writer.subgraph import check_subgraph


def _check(payload: Mapping[str, Any]) -> Iterable[Problem]:
    # A tracked document carries its own _id; everything else is checked, field by field, as a subgraph.
    check_subgraph({name: value for name, value in payload.items() if name != "_id"})
    return ()


#: A document whose fields besides ``_id`` are the subgraph: ``{"_id": ..., "nodes": [...], "relationships": [...]}``.
graph: Final = Aggregate(type="graph", collection="graphs", check=_check)
