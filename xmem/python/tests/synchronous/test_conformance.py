# Made by ../../writers/python/tools/synchronous.py from tests/asynchronous/test_conformance.py: change that one.
"""XMem's aggregates against their table (``xmem/conformance``)."""

from __future__ import annotations

from typing import Final

from pymongo.synchronous.database import Database
from support import Document, each_case
from synchronous.outcomes import expect_outcome

from outgraph_xmem import xmem_aggregates

AGGREGATES: Final = {aggregate.type: aggregate for aggregate in xmem_aggregates}


@each_case("documents", folder="xmem/conformance")
def test_a_tracked_document(case: Document, db: Database[Document]) -> None:
    expect_outcome(case, AGGREGATES[case["aggregateType"]], db)
