# Made by tools/synchronous.py from tests/asynchronous/conftest.py: change that one.
"""The fixtures of these tests."""

import pytest
from synchronous.fixtures import client, database, db, stored

__all__ = ["client", "database", "db", "stored"]

pytest.register_assert_rewrite("synchronous.outcomes")
