"""Tests XMem's aggregates with their table of cases (``xmem/conformance``)."""

from __future__ import annotations

from typing import Final

from asynchronous.outcomes import expect_outcome
from pymongo.asynchronous.database import AsyncDatabase
from support import Document, each_case

from outgraph_xmem import xmem_aggregates

AGGREGATES: Final = {aggregate.type: aggregate for aggregate in xmem_aggregates}


@each_case("documents", folder="xmem/conformance")
async def test_a_tracked_document(case: Document, db: AsyncDatabase[Document]) -> None:
    await expect_outcome(case, AGGREGATES[case["aggregateType"]], db)
