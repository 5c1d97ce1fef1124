"""The one exception of this library. Its codes are those of outgraph's contract, the same in every language."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal, TypeAlias

FaultCode: TypeAlias = Literal[
    # The event is not one that the outbox takes.
    "event-invalid",
    # The payload is not what the aggregate declares.
    "payload-invalid",
    # The aggregate's check raised on this payload.
    "projection-failed",
    # The payload of a `graph` does not have the shape of a subgraph.
    "subgraph-invalid",
    # More than 10,000 elements in one subgraph.
    "subgraph-too-large",
    # The same node or relationship is listed twice.
    "element-duplicate",
    # A label, type or property name that is none, or that outgraph keeps for itself.
    "name-invalid",
    # A value that Neo4j cannot hold as a property.
    "value-unsupported",
    # A key value that is not a string, an integer or a boolean, or a node without any key.
    "key-invalid",
    # The label is keyed by another set of properties.
    "key-mismatch",
    # A verb that could write without events.
    "untracked",
    # An event outside of a running transaction.
    "no-transaction",
    # A transaction that could be rolled back after its commit.
    "write-concern",
]

_MAX_CHARACTERS: Final = 2_000


class Fault(Exception):
    """What this library refuses, with a code to tell it by. No retry mends it: change the document or the program.

    A message that is about a payload names the path of what is wrong (``nodes[0].properties.address``), never its value.
    """

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(_printable(message))
        self.code: Final = code

    @property
    def message(self) -> str:
        """One printable line."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[Fault], tuple[FaultCode, str]]:
        return Fault, (self.code, self.message)


def _printable(text: str) -> str:
    """Makes one harmless line of a text that others had a hand in: names in a payload come from strangers."""
    cut = text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
    return "".join(map(_escaped, cut))[:_MAX_CHARACTERS]


def _escaped(character: str) -> str:
    category = unicodedata.category(character)
    if not category.startswith("C") and category not in ("Zl", "Zp"):
        return character
    code = f"{ord(character):04x}"
    return f"\\u{{{code}}}" if len(code) > 4 else f"\\u{code}"
