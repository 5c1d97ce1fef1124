"""The code graph: repositories, their scanned files and the annotations. Each is a document with a natural key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from outgraph_writer.asynchronous.tracked_collection import track_collection
from outgraph_writer.asynchronous.transaction import in_transaction
from outgraph_writer.stored import exact, raw_options
from outgraph_writer.tracking import ids_of, with_ids
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from outgraph_xmem.aggregates import code_annotation, code_file, code_repository
from outgraph_xmem.operations import (
    ScanOutcome,
    changed_files,
    file_documents,
    renamed,
    require_name,
    require_path,
)


class AsyncCodeGraph:
    """The operations on the code graph.

    Each operation is one transaction, or joins the caller's transaction of ``session``. Deleting something that does
    not exist succeeds.

    Raises:
        Fault: each operation raises ``payload-invalid`` for an invalid argument or document.

    Example:
        >>> code = AsyncCodeGraph(client.xmem)
        >>> await code.apply_files("acme", "shop", [{"file_path": "src/a.ts", "symbols": [{"symbol_name": "Cart"}]}])
    """

    def __init__(self, db: AsyncDatabase[Any]) -> None:
        self._db = db
        self._repositories = track_collection(db, code_repository)
        self._files = track_collection(db, code_file)
        self._stored = db.get_collection(code_file.collection, codec_options=raw_options(db.codec_options))
        self._annotations = track_collection(db, code_annotation)

    async def apply_files(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        *,
        session: AsyncClientSession | None = None,
    ) -> ScanOutcome:
        """Replaces the documents of scanned files, and creates the repository if it does not exist.

        A file whose document does not change has no event. Other files are not changed.

        Args:
            org_id: the organisation of the repository.
            repo: the name of the repository.
            files: documents without ``_id``, ``org_id`` and ``repo``.
            session: the session of a running transaction to join.
        """
        return await self._apply(org_id, repo, files, False, session)

    async def apply_scan(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        *,
        session: AsyncClientSession | None = None,
    ) -> ScanOutcome:
        """Does what ``apply_files`` does, for all files of the repository: it deletes the files that are not listed."""
        return await self._apply(org_id, repo, files, True, session)

    async def _apply(
        self,
        org_id: str,
        repo: str,
        files: Iterable[Mapping[str, Any]],
        complete: bool,
        session: AsyncClientSession | None,
    ) -> ScanOutcome:
        scope = {"org_id": require_name(org_id, "org_id"), "repo": require_name(repo, "repo")}
        documents = file_documents(org_id, repo, files)

        async def write(own: AsyncClientSession) -> ScanOutcome:
            repository = {"org_id": org_id, "repo_name": repo}
            await self._repositories.update_one(repository, {"$setOnInsert": repository}, upsert=True, session=own)
            removed = 0
            if complete:
                gone = {**scope, "file_path": {"$nin": list(documents)}}
                removed = (await self._files.delete_many(gone, session=own)).deleted_count
            known = self._stored.find({**scope, "file_path": {"$in": list(documents)}}, session=own)
            changed = changed_files(await known.to_list(), documents, self._db.codec_options)
            for path, document in changed.items():
                await self._files.replace_one({**scope, "file_path": path}, document, upsert=True, session=own)
            return ScanOutcome(len(changed), len(documents) - len(changed), removed)

        return await in_transaction(self._db.client, session, write)

    async def delete_file(
        self, org_id: str, repo: str, file_path: str, *, session: AsyncClientSession | None = None
    ) -> bool:
        """Deletes a file with everything that its scan found. Returns whether the file existed."""
        result = await self._files.delete_one(_file_key(org_id, repo, file_path), session=session)
        return result.deleted_count > 0

    async def rename_file(
        self, org_id: str, repo: str, old_path: str, new_path: str, *, session: AsyncClientSession | None = None
    ) -> bool:
        """Renames a file and its references to itself. It replaces a file that has the new path.

        References of other files and of annotations keep the old path until you scan or put them again.

        Returns:
            Whether there was a file to rename.
        """
        old, new = _file_key(org_id, repo, old_path), _file_key(org_id, repo, new_path)

        async def write(own: AsyncClientSession) -> bool:
            found = await self._stored.find_one(old, session=own)
            if found is None:
                return False
            if old != new:
                await self._files.delete_one(new, session=own)
                moved = renamed(exact(found), old_path, new_path)
                await self._files.replace_one(with_ids(ids_of([found])), moved, session=own)
            return True

        return await in_transaction(self._db.client, session, write)

    async def put_annotation(self, annotation: Mapping[str, Any], *, session: AsyncClientSession | None = None) -> None:
        """Creates an annotation, or replaces the one with the same ``annotation_id``."""
        key = {"annotation_id": require_name(annotation.get("annotation_id"), "annotation_id")}
        document = {field: value for field, value in annotation.items() if field != "_id"}
        await self._annotations.replace_one(key, document, upsert=True, session=session)

    async def delete_annotation(self, annotation_id: str, *, session: AsyncClientSession | None = None) -> bool:
        """Deletes an annotation. Returns whether it existed."""
        key = {"annotation_id": require_name(annotation_id, "annotation_id")}
        return (await self._annotations.delete_one(key, session=session)).deleted_count > 0

    async def delete_repository(self, org_id: str, repo: str, *, session: AsyncClientSession | None = None) -> None:
        """Deletes a repository with all its files and annotations."""
        scope = {"org_id": require_name(org_id, "org_id"), "repo": require_name(repo, "repo")}

        async def write(own: AsyncClientSession) -> None:
            await self._files.delete_many(scope, session=own)
            await self._annotations.delete_many(scope, session=own)
            await self._repositories.delete_one({"org_id": org_id, "repo_name": repo}, session=own)

        await in_transaction(self._db.client, session, write)


def _file_key(org_id: str, repo: str, path: str) -> dict[str, str]:
    return {
        "org_id": require_name(org_id, "org_id"),
        "repo": require_name(repo, "repo"),
        "file_path": require_path(path, "file_path"),
    }
