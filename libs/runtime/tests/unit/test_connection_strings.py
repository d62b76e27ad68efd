"""Connection strings of the roles."""

import pytest
from cortex_runtime.adapters.roles import dsn_with
from psycopg.conninfo import conninfo_to_dict

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://super:secret@127.0.0.1:5433/postgres?sslmode=disable",
        "host=127.0.0.1 port=5433 user=super password=secret dbname=postgres sslmode=disable",
        "postgresql://super:secret@[::1]:5433/postgres?sslmode=disable",
        "postgresql://super:secret@%2Fvar%2Frun:5433/postgres?sslmode=disable",
    ],
)
def test_changes_what_is_asked_for_and_nothing_else(dsn: str) -> None:
    """Whatever form the superuser's has, a role's is a URL to the same server."""
    changed = dsn_with(dsn, user="reader", password="a/b@c:d?e", dbname="a b")
    assert changed.startswith("postgresql://reader:")
    expected = conninfo_to_dict(dsn) | {"user": "reader", "password": "a/b@c:d?e", "dbname": "a b"}
    assert {name: str(value) for name, value in conninfo_to_dict(changed).items()} == {
        name: str(value) for name, value in expected.items()
    }
