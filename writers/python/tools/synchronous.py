"""Makes the synchronous half of a package and of its tests from the asynchronous one, as PyMongo makes its own: one
text is kept by hand, and both are typed, checked and tested.

``python tools/synchronous.py`` writes the files of the library, and with the folder of another package that one's.
``--check`` fails where they are not what it would write.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

TOOL: Final = Path(__file__).resolve()
LIBRARY: Final = TOOL.parent.parent
MARK: Final = "# Made by {} from {}: change that one."

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


def asynchronous_files(root: Path) -> list[Path]:
    """The files of a package and of its tests that are kept by hand."""
    return [*root.glob("src/*/asynchronous/*.py"), *root.glob("tests/asynchronous/*.py")]


def made_files(root: Path) -> dict[Path, str]:
    """Each synchronous file with its text, as the formatter has it: lines that became shorter are joined."""
    tool = Path(os.path.relpath(TOOL, root)).as_posix()
    with TemporaryDirectory() as temporary:
        copies: dict[Path, Path] = {}
        for source in asynchronous_files(root):
            target = source.parent.parent / "synchronous" / source.name
            copy = copies[target] = Path(temporary) / target.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            mark = MARK.format(tool, source.relative_to(root).as_posix())
            copy.write_text(f"{mark}\n{synchronous(source.read_text())}")
        for arguments in (["check", "--fix-only", "--select", "I"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--config", "pyproject.toml", temporary]
            subprocess.run(command, cwd=root, check=True)
        return {target: copy.read_text() for target, copy in copies.items()}


def main() -> int:
    """Writes the files, or with ``--check`` compares them; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", nargs="?", type=Path, default=LIBRARY)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    root: Path = arguments.package.resolve()
    made = made_files(root)
    stale = [target for target, text in made.items() if not target.exists() or target.read_text() != text]
    for target in stale:
        if not arguments.check:
            target.parent.mkdir(exist_ok=True)
            target.write_text(made[target])
        print(f"{target.relative_to(root)} {'is not what its source says' if arguments.check else 'written'}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
