"""Checks the session with which an event is recorded."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from outgraph_writer.fault import Fault


def require_transaction(session: Any) -> None:
    """Requires a running transaction whose writes cannot be rolled back after its commit.

    Accepts a session of either client. PyMongo does not expose the write concern of a running transaction, so this
    reads a private attribute. If a version of PyMongo moves it, the write concern is not checked.

    Raises:
        Fault: ``no-transaction``, ``write-concern``.
    """
    if session is None or not session.in_transaction:
        raise Fault(
            "no-transaction",
            "An event must be recorded in the transaction that writes its document: "
            "start one (session.with_transaction), and pass its session.",
        )
    options = getattr(getattr(session, "_transaction", None), "opts", None)
    write_concern = getattr(options, "write_concern", None)
    w = None if write_concern is None else write_concern.document.get("w")
    if w not in (None, "majority"):
        raise Fault(
            "write-concern",
            f'The transaction\'s write concern is {w}: use "majority", '
            "because a write that could be rolled back must not reach the graph.",
        )


def refuse_standalone(error: OperationFailure) -> None:
    """Raises a fault instead of the server's error for transactions on a standalone server.

    That error is "Transaction numbers are only allowed on a replica set member or mongos" (IllegalOperation, seen with
    MongoDB 6.0).

    Raises:
        Fault: ``no-transaction``.
    """
    if error.code == 20 and "Transaction numbers" in str(error):
        raise Fault(
            "no-transaction",
            "This MongoDB is a standalone server, which has no transactions. Convert it to a replica set, of at least "
            "one member (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).",
        ) from error
