"""The form of a fault: its message, and its copy in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from outgraph_writer import Aggregate, Change, Fault, graph
from outgraph_writer.subgraph import MAX_ELEMENTS, check_subgraph


def test_is_one_printable_line() -> None:
    fault = Fault("name-invalid", "a\nb\x1b[31m\u2028\U000e0001" + "x" * 3_000)
    assert fault.message.startswith("a\\u000ab\\u001b[31m\\u2028\\u{e0001}xxx")
    assert len(fault.message) == 2_000


def test_comes_out_of_another_process_as_it_was() -> None:
    fault = pickle.loads(pickle.dumps(Fault("untracked", "drop")))  # noqa: S301
    assert (type(fault), fault.code, str(fault)) == (Fault, "untracked", "drop")


@pytest.mark.parametrize("name", ["Note", "note\n", "", "a" * 65])
def test_an_aggregate_with_a_wrong_type_is_not_even_declared(name: str) -> None:
    with pytest.raises(Fault, match="aggregateType") as refused:
        Aggregate(type=name, collection="notes")
    assert refused.value.code == "event-invalid"


@pytest.mark.parametrize("fields", ["name", ["home.city"]])
def test_an_aggregate_declares_its_fields_as_a_list_of_names(fields: list[str]) -> None:
    with pytest.raises(ValueError, match="top-level fields"):
        Aggregate(type="note", collection="notes", fields=fields)


def test_a_change_says_what_it_is() -> None:
    assert Change.upsert("a", {"n": 1}) == Change("upsert", "a", {"n": 1})
    assert Change.delete("a") == Change("delete", "a")


def test_a_subgraph_has_a_maximum_number_of_elements() -> None:
    nodes = [{"label": "Thing", "key": {"id": index}} for index in range(MAX_ELEMENTS)]
    check_subgraph({"nodes": nodes})
    edge = {"type": "IS", "from": nodes[0], "to": nodes[0]}
    with pytest.raises(Fault, match="10001 elements") as refused:
        check_subgraph({"nodes": nodes, "relationships": [edge]})
    assert (refused.value.code, graph.type) == ("subgraph-too-large", "graph")


def test_works_without_opentelemetry() -> None:
    program = """
import sys
sys.modules["opentelemetry"] = None
import outgraph_writer
from outgraph_writer.traceparent import active_traceparent
assert active_traceparent(None) is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
