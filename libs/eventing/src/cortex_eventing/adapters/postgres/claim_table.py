"""The operator's replacement of all claims: as many as a store may hold, so a request's time-outs do not fit."""

from collections.abc import Iterable, Iterator
from itertools import islice

from cortex_eventing.adapters.postgres.append_call import Row, columns_of
from cortex_eventing.adapters.postgres.arrays import Byteas, Texts
from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
from cortex_eventing.errors import Unavailable

STEP_WITHIN = 300.0
"""Seconds that one step may take. The longest deletes all claims, some million a minute on a slow disk; whoever hangs
for longer is to let go of the lock that keeps every command waiting."""

SLACK = 5.0
"""Seconds after which a server that did not keep to STEP_WITHIN by itself is given up."""

STEP = 10_000
"""Claims inserted at a time: a megabyte or two, hashed while nothing else on the loop waits for long."""

_KINDS = (Texts, Texts, Byteas, Texts)
_BEGIN = "SELECT cortex_replace_claims(%s, %b, %b, %b, %b)"
_ADD = "SELECT cortex_add_claims(%b, %b, %b, %b)"


async def replace_claims(dsn: str, at: int, claims: Iterable[Row]) -> bool:
    """Put these claims in the place of all there are, if `at` is still the head; says whether it was.

    One transaction, on a connection of its own. The head is looked at before anything is sent, under the lock that
    keeps commands waiting until the end: on a busy store the head would otherwise move with every attempt.

    Args:
        dsn: to the service's database, as its writer.
        at: the position up to which events were folded into the claims.
        claims: project, kind, key, owner of each.

    Raises:
        Unavailable: the server is away or does not answer. Nothing was replaced, unless only the last answer was lost.
    """
    try:
        async with await connect_async(dsn, "cortex-claims") as connection, connection.transaction():
            await _take_longer(connection)
            begun = await (await connection.execute(_BEGIN, [at, *columns_of([], _KINDS)])).fetchone()
            if not begun or not begun[0]:
                return False
            for step in _steps(iter(claims)):
                await connection.execute(_ADD, columns_of(step, _KINDS))
            return True
    except GONE as error:
        raise Unavailable("PostgreSQL") from error


async def _take_longer(connection: BoundedAsyncConnection) -> None:
    connection.answer_within = STEP_WITHIN + SLACK
    await connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STEP_WITHIN:.0f}s"])


def _steps(claims: Iterator[Row]) -> Iterator[list[Row]]:
    while step := list(islice(claims, STEP)):
        yield step
