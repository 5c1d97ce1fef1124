# Made by ../../writers/python/tools/synchronous.py from src/outgraph_xmem/asynchronous/code_graph.py: change that one.
"""The code graph: repositories, their scanned files and the annotations, each a document that is found by its natural key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from outgraph_writer.stored import exact, raw_options
from outgraph_writer.synchronous.tracked_collection import track_collection
from outgraph_writer.synchronous.transaction import in_transaction
from outgraph_writer.tracking import ids_of, with_ids
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.database import Database

from outgraph_xmem.aggregates import code_annotation, code_file, code_repository
from outgraph_xmem.operations import (
    ScanOutcome,
    changed_files,
    file_documents,
    renamed,
    require_name,
    require_path,
)


class CodeGraph:
    """Each operation is one transaction, or part of the caller's whose ``session`` it is given. To delete what is not there succeeds.

    Example:
        >>> code = CodeGraph(client.xmem)
        >>> code.apply_files("acme", "shop", [{"file_path": "src/a.ts", "symbols": [{"symbol_name": "Cart"}]}])
    """

    def __init__(self, db: Database[Any]) -> None:
        self._db = db
        self._repositories = track_collection(db, code_repository)
        self._files = track_collection(db, code_file)
        self._stored = db.get_collection(code_file.collection, codec_options=raw_options(db.codec_options))
        self._annotations = track_collection(db, code_annotation)

    def apply_files(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        *,
        session: ClientSession | None = None,
    ) -> ScanOutcome:
        """Puts scanned files in the place of what their last scan found, and makes the repository, unless there is one. A file whose document stays the same has no event; other files stay.

        Args:
            files: documents without ``_id``, ``org_id`` and ``repo``.
        """
        return self._apply(org_id, repo, files, False, session)

    def apply_scan(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        *,
        session: ClientSession | None = None,
    ) -> ScanOutcome:
        """Does what ``apply_files`` does with all files of the repository: those that are not among them are gone."""
        return self._apply(org_id, repo, files, True, session)

    def _apply(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        complete: bool,
        session: ClientSession | None,
    ) -> ScanOutcome:
        scope = {"org_id": require_name(org_id, "org_id"), "repo": require_name(repo, "repo")}
        documents = file_documents(org_id, repo, files)

        def write(own: ClientSession) -> ScanOutcome:
            repository = {"org_id": org_id, "repo_name": repo}
            self._repositories.update_one(repository, {"$setOnInsert": repository}, upsert=True, session=own)
            removed = 0
            if complete:
                gone = {**scope, "file_path": {"$nin": list(documents)}}
                removed = (self._files.delete_many(gone, session=own)).deleted_count
            known = self._stored.find({**scope, "file_path": {"$in": list(documents)}}, session=own)
            changed = changed_files(known.to_list(), documents, self._db.codec_options)
            for path, document in changed.items():
                self._files.replace_one({**scope, "file_path": path}, document, upsert=True, session=own)
            return ScanOutcome(len(changed), len(documents) - len(changed), removed)

        return in_transaction(self._db.client, session, write)

    def delete_file(self, org_id: str, repo: str, file_path: str, *, session: ClientSession | None = None) -> bool:
        """Deletes a file with all that its scan found; false if there was none."""
        result = self._files.delete_one(_file_key(org_id, repo, file_path), session=session)
        return result.deleted_count > 0

    def rename_file(
        self, org_id: str, repo: str, old_path: str, new_path: str, *, session: ClientSession | None = None
    ) -> bool:
        """Renames a file, with its references to itself, in the place of a file that has that path; false if there is none to rename.

        What other files and annotations say of the old path they say until they are scanned or put anew.
        """
        old, new = _file_key(org_id, repo, old_path), _file_key(org_id, repo, new_path)

        def write(own: ClientSession) -> bool:
            found = self._stored.find_one(old, session=own)
            if found is None:
                return False
            if old != new:
                self._files.delete_one(new, session=own)
                moved = renamed(exact(found), old_path, new_path)
                self._files.replace_one(with_ids(ids_of([found])), moved, session=own)
            return True

        return in_transaction(self._db.client, session, write)

    def put_annotation(self, annotation: Mapping[str, Any], *, session: ClientSession | None = None) -> None:
        """Makes an annotation, or puts it in the place of the one with the same ``annotation_id``."""
        key = {"annotation_id": require_name(annotation.get("annotation_id"), "annotation_id")}
        document = {field: value for field, value in annotation.items() if field != "_id"}
        self._annotations.replace_one(key, document, upsert=True, session=session)

    def delete_annotation(self, annotation_id: str, *, session: ClientSession | None = None) -> bool:
        """Deletes an annotation; false if there was none."""
        key = {"annotation_id": require_name(annotation_id, "annotation_id")}
        return (self._annotations.delete_one(key, session=session)).deleted_count > 0

    def delete_repository(self, org_id: str, repo: str, *, session: ClientSession | None = None) -> None:
        """Deletes a repository with all its files and annotations."""
        scope = {"org_id": require_name(org_id, "org_id"), "repo": require_name(repo, "repo")}

        def write(own: ClientSession) -> None:
            self._files.delete_many(scope, session=own)
            self._annotations.delete_many(scope, session=own)
            self._repositories.delete_one({"org_id": org_id, "repo_name": repo}, session=own)

        in_transaction(self._db.client, session, write)


def _file_key(org_id: str, repo: str, path: str) -> dict[str, str]:
    return {
        "org_id": require_name(org_id, "org_id"),
        "repo": require_name(repo, "repo"),
        "file_path": require_path(path, "file_path"),
    }
