"""The pytest plugin of Cortex: test categories and, for every test that asks, PostgreSQL and NATS.

The fixtures are those of `cortex_testkit.fixtures`.
"""

import logging
from collections.abc import Iterator

import pytest
import structlog

from cortex_testkit.categories import CATEGORIES, complaints
from cortex_testkit.fixtures import (
    database,
    fresh_database,
    migrations,
    module_database,
    nats_url,
    own_nats,
    own_postgres,
    postgres_dsn,
    shared_nats_url,
)

__all__ = [
    "database",
    "fresh_database",
    "migrations",
    "module_database",
    "nats_url",
    "own_nats",
    "own_postgres",
    "postgres_dsn",
    "shared_nats_url",
]


def pytest_configure(config: pytest.Config) -> None:
    """Make the categories known wherever the plugin is."""
    for name, meaning in CATEGORIES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A test that sets up the process's log, to a file that goes with the test, sets it up for nobody else."""
    handlers, level, lines = logging.root.handlers[:], logging.root.level, structlog.get_config()
    yield
    structlog.configure(**lines)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run while a module has no category or a test no sentence."""
    found = list(complaints(items))
    if found:
        raise pytest.UsageError("\n".join(found))
