"""What a session must be in before an event is recorded with it."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from outgraph_writer.fault import Fault


def require_transaction(session: Any) -> None:
    """Raises unless the session has a running transaction whose writes cannot be rolled back once it has committed.

    Takes a session of either client. PyMongo tells nobody a running transaction's write concern, so it is read from its inside; where a version keeps it elsewhere, it is taken as fine.
    """
    if session is None or not session.in_transaction:
        raise Fault(
            "no-transaction",
            "An event must be recorded in the transaction that writes its document: start one (session.with_transaction), and pass its session.",
        )
    options = getattr(getattr(session, "_transaction", None), "opts", None)
    write_concern = getattr(options, "write_concern", None)
    w = None if write_concern is None else write_concern.document.get("w")
    if w not in (None, "majority"):
        raise Fault(
            "write-concern",
            f'The transaction\'s write concern is {w}: use "majority", because what could be rolled back must not reach the graph.',
        )


def refuse_standalone(error: OperationFailure) -> None:
    """Raises a fault in place of the server's "Transaction numbers are only allowed on a replica set member or mongos" (IllegalOperation, seen of MongoDB 6.0)."""
    if error.code == 20 and "Transaction numbers" in str(error):
        raise Fault(
            "no-transaction",
            "This MongoDB is a standalone server, which has no transactions: make it a replica set, of one member at least (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).",
        ) from error
