"""From documents before and after a write to the events they need: compared as the bytes that are stored, so that a write that changed nothing makes no event."""

from __future__ import annotations

from collections.abc import Iterable

from bson.raw_bson import RawBSONDocument

from outgraph_writer.aggregate import Aggregate, id_of
from outgraph_writer.event import Change
from outgraph_writer.stored import id_bytes


def document_changes(
    aggregate: Aggregate, before: Iterable[RawBSONDocument], after: Iterable[RawBSONDocument]
) -> list[Change]:
    """The changes between two images of the same documents, matched by ``_id``.

    A document that is only in ``after`` was inserted, one that is only in ``before`` was deleted; one whose aggregate id changed is a deletion of the old aggregate and an upsert of the new.
    """
    old = {id_bytes(document): document for document in before}
    deleted: list[Change] = []
    upserted: list[Change] = []
    for document in after:
        known = old.pop(id_bytes(document), None)
        if known is not None and known.raw == document.raw:
            continue
        aggregate_id = id_of(aggregate, document)
        if known is not None and (known_id := id_of(aggregate, known)) != aggregate_id:
            deleted.append(Change.delete(known_id))
        upserted.append(Change.upsert(aggregate_id, document))
    deleted += [Change.delete(id_of(aggregate, document)) for document in old.values()]
    # Deletions first: an id that one document gave up and another took over must end with the other's state.
    return deleted + upserted
