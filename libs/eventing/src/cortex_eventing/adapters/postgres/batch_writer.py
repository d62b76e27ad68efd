"""Station 4: one batch of appends, stored in one call over one connection that a thread owns."""

from collections.abc import Sequence
from contextlib import suppress

import psycopg

from cortex_eventing.adapters.postgres.append_call import APPEND, EncodedAppend, answers, parameters
from cortex_eventing.adapters.postgres.connections import GONE, BoundedConnection, connect
from cortex_eventing.errors import Unavailable
from cortex_eventing.failpoints import declare, failpoint_sync
from cortex_eventing.ports import Appended

BEFORE_APPEND = declare("store.before_append", "a batch is ready, and PostgreSQL has not seen it")
AFTER_APPEND = declare("store.after_append_before_reply", "a batch is committed, and none of its callers knows")


class BatchWriter:
    """Writes batches. Connects when it must; used by one thread.

    Args:
        dsn: to the service's database, as its writer.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: BoundedConnection | None = None

    def write(self, batch: Sequence[EncodedAppend]) -> list[Appended]:
        """Store each of the batch, or say why not.

        Raises:
            Unavailable: the server is away or does not answer. The batch may be stored all the same, even later:
                writing it again finds out.
        """
        failpoint_sync(BEFORE_APPEND)
        try:
            rows = self._connected().execute(APPEND, parameters(batch), prepare=True, binary=True).fetchall()
        except GONE as error:
            self.close()
            raise Unavailable("PostgreSQL") from error
        failpoint_sync(AFTER_APPEND)
        return answers(rows, len(batch))

    def close(self) -> None:
        """Close the connection; the next batch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _connected(self) -> BoundedConnection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn, "cortex-store-writer")
        return self._connection
