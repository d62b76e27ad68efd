"""A service's schema, brought up to date by its own process."""

import asyncio
from collections.abc import Sequence

from cortex_eventing.backoff import waits
from psycopg import OperationalError

from cortex_runtime.adapters.migrations import migrate
from cortex_runtime.adapters.shipped_migrations import Migration, MigrationError
from cortex_runtime.database import DatabaseAccess
from cortex_runtime.failures import CannotStart
from cortex_runtime.logs import log


async def bring_up_to_date(access: DatabaseAccess, *packages: str) -> Sequence[Migration]:
    """Apply the packages' migrations that are missing, and say which. PostgreSQL may be away: then this waits.

    Raises:
        CannotStart: the migrations do not fit the database.
    """
    pauses = waits()
    while True:
        try:
            return await migrate(access, *packages)
        except MigrationError as error:
            raise CannotStart(str(error)) from error
        except OperationalError:
            log().warning("postgres_is_away")
            await asyncio.sleep(next(pauses))
