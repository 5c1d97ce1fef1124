"""Tests the wheel that a user installs, and the example of the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from support import PROJECT, mongodb_uri, new_database_name, outbox_options
from wheel import build_wheel, sources_of

ROOT: Final = Path(__file__).resolve().parent.parent


def test_the_wheel_contains_the_typed_package_and_requires_the_library_of_its_version(tmp_path: Path) -> None:
    library = build_wheel(PROJECT / "writers/python", tmp_path / "library")
    wheel = build_wheel(ROOT, tmp_path / "xmem")
    assert wheel.files == sources_of(ROOT)
    assert "outgraph_xmem/py.typed" in wheel.files
    assert (wheel.fields["Name"], wheel.fields["Requires-Python"]) == (
        "outgraph-xmem",
        library.fields["Requires-Python"],
    )
    assert wheel.fields["Version"] == library.fields["Version"]
    assert wheel.required == [f"outgraph-writer=={library.fields['Version']}", *library.required]


def test_the_example_of_the_readme_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    name = new_database_name()
    with MongoClient[dict[str, object]](mongodb_uri()) as client:
        db = client[name]
        db.create_collection("outbox", **outbox_options())
        names: dict[str, Any] = {}
        exec(example.replace('"xmem"', f'"{name}"'), names)  # noqa: S102
        names["client"].close()
        found = db.outbox.find({}, sort=[("position", 1)])
        events = [f"{event['operation']} {event['aggregateType']}" for event in found]
        client.drop_database(db)
    assert events == ["upsert memory-event", "upsert memory-event", "upsert code-repository", "upsert code-file"]
