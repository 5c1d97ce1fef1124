"""What a user installs and reads: the wheel, and the README's examples."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient, MongoClient
from support import mongodb_uri, new_database_name, outbox_options

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_wheel_holds_the_typed_library_and_asks_for_pymongo_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        fields = message_from_string(archive.read(metadata).decode())
    sources = [path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()]
    expected = [name for name in sources if name.endswith((".py", "py.typed"))]
    assert sorted(name for name in names if not name.split("/")[0].endswith(".dist-info")) == sorted(expected)
    assert "outgraph_writer/py.typed" in names
    assert (fields["Name"], fields["Requires-Python"]) == ("outgraph-writer", ">=3.10")
    required = [each for each in fields.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert required == ["pymongo>=4.9"]


async def test_the_examples_of_the_readme_run() -> None:
    name = new_database_name()
    tracked, asynchronous, xmem = (text.replace('"crm"', f'"{name}"').replace(".crm", f".{name}") for text in EXAMPLES)
    with MongoClient[dict[str, object]](mongodb_uri()) as client:
        db = client[name]
        db.create_collection("outbox", **outbox_options())
        names: dict[str, Any] = {}
        exec(tracked, names)  # noqa: S102
        exec(xmem, names)  # noqa: S102
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
        "upsert memory-event",
        "upsert memory-event",
        "upsert code-repository",
        "upsert code-file",
        "delete person",
    ]
