"""Which PostgreSQL and NATS the tests use, chosen by `CORTEX_TEST_SERVERS`.

- `embedded` (the default): our own, from the wheels, gone afterwards.
- `external`: somebody else's, at `CORTEX_TEST_POSTGRES_DSN` (a superuser's) and `CORTEX_TEST_NATS_URL`. Only for
  servers that nothing else uses: the tests make and delete databases, roles and streams.
- `containers`: testcontainers, where Docker answers.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from cortex_runtime.adapters.embedded import embedded_nats, embedded_postgres

from cortex_testkit.containers import nats_container, postgres_container

CHOICE = "CORTEX_TEST_SERVERS"
POSTGRES_DSN = "CORTEX_TEST_POSTGRES_DSN"
NATS_URL = "CORTEX_TEST_NATS_URL"
CHOICES = ("embedded", "external", "containers")


def chosen_servers(environment: Mapping[str, str] = os.environ) -> str:
    """One of CHOICES.

    Raises:
        pytest.UsageError: something else was asked for.
    """
    choice = environment.get(CHOICE) or CHOICES[0]
    if choice not in CHOICES:
        raise pytest.UsageError(f"{CHOICE} must be one of {', '.join(CHOICES)}, not {choice!r}")
    return choice


@asynccontextmanager
async def postgres_server(environment: Mapping[str, str] = os.environ) -> AsyncIterator[str]:
    """A superuser's connection string to the chosen PostgreSQL."""
    match chosen_servers(environment):
        case "external":
            yield _address(environment, POSTGRES_DSN)
        case "containers":
            async with postgres_container() as dsn:
                yield dsn
        case _:
            async with embedded_postgres() as server:
                yield server.dsn


@asynccontextmanager
async def nats_server(environment: Mapping[str, str] = os.environ) -> AsyncIterator[str]:
    """The address of the chosen NATS."""
    match chosen_servers(environment):
        case "external":
            yield _address(environment, NATS_URL)
        case "containers":
            async with nats_container() as url:
                yield url
        case _:
            async with embedded_nats() as server:
                yield server.url


def _address(environment: Mapping[str, str], name: str) -> str:
    address = environment.get(name)
    if not address:
        raise pytest.UsageError(f"{CHOICE}=external needs {name}")
    return address
