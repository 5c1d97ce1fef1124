"""The fixtures of these tests."""

import pytest
from asynchronous.fixtures import client, database, db, stored

__all__ = ["client", "database", "db", "stored"]

pytest.register_assert_rewrite("asynchronous.outcomes")
