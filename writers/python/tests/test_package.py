"""The wheel that a user installs, and the examples of the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from consumer import consuming
from pymongo import AsyncMongoClient, MongoClient
from support import mongodb_uri, new_database_name, outbox_options
from wheel import build_wheel, sources_of

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_wheel_holds_the_typed_library_and_asks_for_pymongo_alone(tmp_path: Path) -> None:
    wheel = build_wheel(ROOT, tmp_path)
    assert wheel.files == sources_of(ROOT)
    assert "outgraph_writer/py.typed" in wheel.files
    assert (wheel.fields["Name"], wheel.fields["Requires-Python"]) == ("outgraph-writer", ">=3.10")
    assert wheel.required == ["pymongo>=4.9"]


async def test_the_examples_of_the_readme_run() -> None:
    name = new_database_name()
    tracked, waiting, asynchronous = (
        text.replace('"crm"', f'"{name}"').replace(".crm", f".{name}") for text in EXAMPLES
    )
    with MongoClient[dict[str, object]](mongodb_uri()) as client:
        db = client[name]
        db.create_collection("outbox", **outbox_options())
        names: dict[str, Any] = {}
        exec(tracked, names)  # noqa: S102
        with consuming(name):
            exec(waiting, names)  # noqa: S102
        names["client"].close()
        async with AsyncMongoClient[dict[str, object]](mongodb_uri()) as async_client:
            names["async_client"] = async_client
            wrapped = "async def example():\n" + "".join(f"    {line}\n" for line in asynchronous.splitlines())
            exec(wrapped.replace("    from ", "    global person\n    from ", 1), names)  # noqa: S102
            await names["example"]()
        events = [
            f"{event['operation']} {event['aggregateType']}" for event in db.outbox.find({}, sort=[("position", 1)])
        ]
        client.drop_database(db)
    assert events == [
        "upsert person",
        "upsert person",
        "upsert person",
        "upsert person",
        "delete person",
    ]
