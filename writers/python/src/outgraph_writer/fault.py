"""The exception of this library. Its codes are those of outgraph's contract, the same in every language."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal, TypeAlias

#: The reason for which a change was refused, or an event was not applied: ``if fault.code == "untracked": ...``.
FaultCode: TypeAlias = Literal[
    # The outbox does not accept the event.
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
    # A label, type or property name that is not allowed, or that outgraph keeps for itself.
    "name-invalid",
    # A value that Neo4j cannot hold as a property.
    "value-unsupported",
    # A key value that is not a string, an integer or a boolean, or a node without any key.
    "key-invalid",
    # The label is keyed by another set of properties.
    "key-mismatch",
    # A verb that could write without events.
    "untracked",
    # An event outside a running transaction.
    "no-transaction",
    # A transaction that could be rolled back after its commit.
    "write-concern",
    # A write matches more documents than one transaction takes.
    "too-many-documents",
    # A write in chunks failed after some of them were committed.
    "unfinished",
    # An event was not applied in the time given. It is still applied later.
    "not-settled",
    # The user may not read the outbox.
    "permission-denied",
    # From here on: codes of dead events, which only the consumer finds.
    "position-in-future",
    "aggregate-type-unknown",
    "key-too-large",
    "label-keyed",
    "labels-too-many",
    "label-not-declared",
    "type-not-declared",
    "ownership-conflict",
    "constraint-violation",
    "graph-refused",
    "transaction-too-large",
    "apply-failed",
    "attempts-exhausted",
    "consumer-crashed",
]

_MAX_CHARACTERS: Final = 2_000


class Fault(Exception):
    """A refusal of this library, with a ``code``. A retry does not help: change the document or the program.

    A message about a payload names the path of the error (``nodes[0].properties.address``), never the value.

    Example:
        >>> try:
        ...     people.insert_one({"_id": 1.5})
        ... except Fault as fault:
        ...     print(fault.code)
        event-invalid
    """

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(_printable(message))
        self.code: Final = code

    @property
    def message(self) -> str:
        """The message, as one printable line."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[Fault], tuple[FaultCode, str]]:
        return Fault, (self.code, self.message)


def _printable(text: str) -> str:
    """Turns a text with untrusted parts, such as names in a payload, into one harmless line."""
    cut = text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
    return "".join(map(_escaped, cut))[:_MAX_CHARACTERS]


def _escaped(character: str) -> str:
    category = unicodedata.category(character)
    if not category.startswith("C") and category not in ("Zl", "Zp"):
        return character
    code = f"{ord(character):04x}"
    return f"\\u{{{code}}}" if len(code) > 4 else f"\\u{code}"
