"""The tables of the sample read models, in a database of a test."""

from cortex_runtime.adapters.migrations import role_of
from cortex_runtime.database import DatabaseAccess
from psycopg import AsyncConnection

from cortex_testkit.sample_read_model import TABLES


async def make_sample_tables(access: DatabaseAccess) -> None:
    """Make them, as a migration of their service would."""
    async with await AsyncConnection.connect(access.owner_dsn) as connection:
        for role, dsn in (("writer", access.writer_dsn), ("reader", access.reader_dsn)):
            await connection.execute("SELECT set_config(%s, %s, false)", [f"cortex.{role}_role", role_of(dsn)])
        await connection.execute(TABLES.encode())
