"""Makes the synchronous half of the library and of its tests from the asynchronous one, as PyMongo makes its own: one text is kept by hand, and both are typed, checked and tested.

``python tools/synchronous.py`` writes the files, ``--check`` fails where they are not what it would write.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
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


def formatted(text: str, name: str) -> str:
    """As the formatter has it: lines that became shorter are joined."""
    for arguments in (["check", "--quiet", "--fix-only", "--select", "I", "-"], ["format", "--quiet", "-"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name]
        text = subprocess.run(command, cwd=ROOT, input=text, text=True, check=True, capture_output=True).stdout
    return text


def main() -> int:
    """Writes the files, or with ``--check`` compares them; returns the exit code."""
    stale = []
    for folder in FOLDERS:
        for source in sorted((ROOT / folder / "asynchronous").glob("*.py")):
            target = ROOT / folder / "synchronous" / source.name
            mark = MARK.format(source.relative_to(ROOT).as_posix())
            text = formatted(f"{mark}\n{synchronous(source.read_text())}", str(target.relative_to(ROOT)))
            if target.exists() and target.read_text() == text:
                continue
            stale.append(str(target.relative_to(ROOT)))
            if "--check" not in sys.argv:
                target.parent.mkdir(exist_ok=True)
                target.write_text(text)
    for name in stale:
        print(f"{name} is not what its source says" if "--check" in sys.argv else f"{name} written")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
