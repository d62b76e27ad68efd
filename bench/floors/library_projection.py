"""Floor of `rebuild`: the eventsourcing library's projection runner, one event in each transaction.

Runs as a process of its own: reads a line `EVENTS`, answers with events folded a second.
"""

import sys
import time
import uuid

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.sql import SQL, Identifier

EVENTS_EACH = 10
WAIT_SECONDS = 120
"""A floor that needs longer has failed."""


class Person(Aggregate):
    """An aggregate of the smallest kind."""

    @event("Created")
    def __init__(self, name: str) -> None:
        self.name = name

    @event("Renamed")
    def rename(self, name: str) -> None:
        """Change the name."""
        self.name = name


class People(Application[uuid.UUID]):
    """The library's application with its defaults."""


class Names(PostgresTrackingRecorder, TrackingRecorder):
    """A table of names, each written in one transaction with the position."""

    def __init__(
        self, datastore: PostgresDatastore, *, tracking_table_name: str = "names_tracking", **kwargs: object
    ) -> None:
        super().__init__(datastore, tracking_table_name=tracking_table_name, **kwargs)
        self._table = Identifier(datastore.schema, "names")
        create = SQL("CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, name text)").format(self._table)
        self.sql_create_statements.append(create)

    def put(self, person: uuid.UUID, name: str, tracking: Tracking) -> None:
        """Write a name."""
        upsert = SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET name = excluded.name")
        with self.datastore.get_connection() as connection, connection.transaction(), connection.cursor() as cursor:
            cursor.execute(upsert.format(self._table), (person, name))
            self._insert_tracking(cursor, tracking)


class NamesProjection(Projection[Names]):
    """Folds each event into its row."""

    name = "names"
    topics: tuple[str, ...] = ()

    @singledispatchmethod
    def process_event(self, domain_event: DomainEventProtocol[uuid.UUID], tracking: Tracking) -> None:
        """Fold one event."""
        name: str = domain_event.__dict__["name"]
        self.view.put(domain_event.originator_id, name, tracking)


def main() -> None:
    """Answer one line for each line, until the input ends. The environment says where PostgreSQL is."""
    people = People()
    for line in sys.stdin:
        events = int(line)
        for _ in range(events // EVENTS_EACH):
            person = Person(name="somebody")
            for version in range(EVENTS_EACH - 1):
                person.rename(f"name {version}")
            people.save(person)
        head = people.recorder.max_notification_id() or 0
        began = time.perf_counter()
        with ProjectionRunner(
            application_class=People,
            projection_class=NamesProjection,
            view_class=Names,
            env={"NAMES_TABLE": get_topic(Names)},
        ) as runner:
            runner.wait(head, timeout=WAIT_SECONDS)
            print(events / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
