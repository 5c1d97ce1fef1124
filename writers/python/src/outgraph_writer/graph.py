"""The built-in aggregate type ``graph``. Its payload is the subgraph itself, so a writer needs no projection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from outgraph_writer.aggregate import Aggregate, Problem
from outgraph_writer.subgraph import check_subgraph


def _check(payload: Mapping[str, Any]) -> Iterable[Problem]:
    # A tracked document has its own _id. All other fields are checked as a subgraph.
    check_subgraph({name: value for name, value in payload.items() if name != "_id"})
    return ()


#: The fields of a document, except ``_id``, are the subgraph: ``{"_id": ..., "nodes": [...], "relationships": [...]}``.
#: An invalid subgraph is refused with the consumer's code and path, such as ``subgraph-invalid``. Example:
#: ``track_collection(db, graph).insert_one({"nodes": [{"label": "Person", "key": {"id": "ada"}}]})``.
graph: Final = Aggregate(type="graph", collection="graphs", check=_check)
