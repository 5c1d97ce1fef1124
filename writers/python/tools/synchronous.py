"""Makes the synchronous half of the library and of its tests from the asynchronous one, as PyMongo makes its own: one text is kept by hand, and both are typed, checked and tested.

``python tools/synchronous.py`` writes the files, ``--check`` fails where they are not what it would write.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = ("src/outgraph_writer", "src/outgraph_writer/xmem", "tests")
MARK: Final = "# Made by tools/synchronous.py from {}: change that one."

RULES: Final = (
    (r"\bawait ", ""),
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bAwaitable\[(\w+)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\basynchronous\b", "synchronous"),
    (r"\bAsync([A-Z])", r"\1"),
)


def synchronous(text: str) -> str:
    """The text without anything asynchronous."""
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text


def made_files() -> dict[Path, str]:
    """Each synchronous file with its text, as the formatter has it: lines that became shorter are joined."""
    with TemporaryDirectory() as temporary:
        copies: dict[Path, Path] = {}
        for source in (source for folder in FOLDERS for source in (ROOT / folder / "asynchronous").glob("*.py")):
            target = source.parent.parent / "synchronous" / source.name
            copy = copies[target] = Path(temporary) / target.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            mark = MARK.format(source.relative_to(ROOT).as_posix())
            copy.write_text(f"{mark}\n{synchronous(source.read_text())}")
        for arguments in (["check", "--fix-only", "--select", "I"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--config", "pyproject.toml", temporary]
            subprocess.run(command, cwd=ROOT, check=True)
        return {target: copy.read_text() for target, copy in copies.items()}


def main() -> int:
    """Writes the files, or with ``--check`` compares them; returns the exit code."""
    checks = "--check" in sys.argv
    made = made_files()
    stale = [target for target, text in made.items() if not target.exists() or target.read_text() != text]
    for target in stale:
        if not checks:
            target.parent.mkdir(exist_ok=True)
            target.write_text(made[target])
        print(f"{target.relative_to(ROOT)} {'is not what its source says' if checks else 'written'}")
    return 1 if checks and stale else 0


if __name__ == "__main__":
    sys.exit(main())
