"""The parts of a wait for events that do not call the driver, shared by both clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from bson.objectid import ObjectId
from pymongo.errors import OperationFailure, PyMongoError

from outgraph_writer.fault import Fault
from outgraph_writer.tracking import in_chunks

#: The fields of an event that a wait reads.
STATE: Final = {"status": 1, "error.code": 1, "error.message": 1}

_IDS_AT_ONCE: Final = 1_000

#: An event is usually applied within some tens of milliseconds.
_FIRST_PAUSE: Final = 0.01
#: For events that take longer, so that an outage is not answered with a storm of queries.
_LATER_PAUSE: Final = 0.1
_SOON: Final = 1.0

#: A query near the end of the time may still answer.
_LEAST_QUERY_SECONDS: Final = 0.1

#: The server's code of Unauthorized.
_UNAUTHORIZED: Final = 13


class Waiting:
    """The events that a call waits for, and its time."""

    def __init__(self, event_ids: Iterable[ObjectId], timeout: float) -> None:
        self.open: Final = set(event_ids)
        #: Events that were found. If one is missing later, it was applied and purged.
        self._seen: Final[set[ObjectId]] = set()
        self._timeout: Final = timeout
        self._started: Final = monotonic()
        self._error: PyMongoError | None = None

    def chunks(self) -> Iterable[Sequence[ObjectId]]:
        """The ids of the open events, in the chunks in which they are queried."""
        return in_chunks([*self.open], _IDS_AT_ONCE)

    def query_seconds(self) -> float:
        """The seconds that a query may take."""
        return max(self._left(), _LEAST_QUERY_SECONDS)

    def pause(self) -> float:
        """The seconds until the next query.

        Raises:
            Fault: ``not-settled`` if the time is up.
        """
        left = self._left()
        if left <= 0:
            raise self._not_settled() from self._error
        return min(left, _FIRST_PAUSE if self._timeout - left < _SOON else _LATER_PAUSE)

    def judge(self, asked: Iterable[ObjectId], states: Iterable[Mapping[str, Any]]) -> None:
        """Closes the events that are applied.

        Raises:
            Fault: the code of an event that is dead.
        """
        self._error = None
        found = {state["_id"]: state for state in states}
        for event_id in asked:
            state = found.get(event_id)
            if state is None:
                if event_id in self._seen:
                    self.open.remove(event_id)
            elif state["status"] == "dead":
                error = state.get("error", {})
                reason = error.get("message", "without a reason.")
                raise Fault(error.get("code", "apply-failed"), f"The event {event_id} is dead: {reason}")
            elif state["status"] == "processed":
                self.open.remove(event_id)
            else:
                self._seen.add(event_id)

    def failed(self, error: PyMongoError) -> None:
        """Remembers an error: a server that is away may come back in time.

        Raises:
            Fault: ``permission-denied`` if the user may not read the outbox.
        """
        if isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
            raise Fault(
                "permission-denied",
                "MongoDB does not let this user read the outbox, which waiting for events needs. "
                'Grant it the role of the part "await" too (docs/explanation/security.md).',
            ) from error
        self._error = error

    def _left(self) -> float:
        return self._started + self._timeout - monotonic()

    def _not_settled(self) -> Fault:
        unknown = len(self.open - self._seen)
        if self._error is not None:
            why = "MongoDB did not answer."
        elif unknown > 0:
            why = f"{unknown} of them are not in the outbox: wait after the commit, and for events of this database."
        else:
            why = "Is the consumer running?"
        return Fault("not-settled", f"{len(self.open)} events were not applied within {self._timeout:g} s. {why}")
