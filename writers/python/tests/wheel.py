"""A package as a user installs it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path


@dataclass(frozen=True)
class Wheel:
    """The files of a wheel, without its metadata, and the fields of its metadata."""

    files: list[str]
    fields: Message

    @property
    def required(self) -> list[str]:
        """The dependencies that are always installed, without those of extras."""
        return [each for each in self.fields.get_all("Requires-Dist", []) if "extra ==" not in each]


def build_wheel(package: Path, into: Path) -> Wheel:
    """Builds the wheel of a package."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=package, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        fields = message_from_string(archive.read(metadata).decode())
    return Wheel(sorted(name for name in names if not name.split("/")[0].endswith(".dist-info")), fields)


def sources_of(package: Path) -> list[str]:
    """The files that a package's wheel should hold."""
    files = [path for path in (package / "src").rglob("*") if path.is_file()]
    names = [path.relative_to(package / "src").as_posix() for path in files]
    return sorted(name for name in names if name.endswith((".py", "py.typed")))
