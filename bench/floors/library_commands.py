"""Floor of `commands`: the eventsourcing library's own loop, as its manual writes it. One thread, no cache.

Runs as a process of its own: reads a line `SECONDS`, answers with the number of commands a second.
"""

import itertools
import sys
import time
import uuid

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

AGGREGATES = 200
"""So many that a block adds only a few events to each aggregate's ten."""

EVENTS_EACH = 10


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


def populated(people: People) -> list[uuid.UUID]:
    """Fresh aggregates of ten events each."""
    ids = []
    for number in range(AGGREGATES):
        person = Person(name=f"person {number}")
        for version in range(EVENTS_EACH - 1):
            person.rename(f"name {version}")
        people.save(person)
        ids.append(person.id)
    return ids


def block(people: People, seconds: float) -> float:
    """Commands a second."""
    ids = populated(people)
    began = time.perf_counter()
    for done, aggregate_id in enumerate(itertools.cycle(ids), start=1):
        person: Person = people.repository.get(aggregate_id)
        person.rename(f"name {done}")
        people.save(person)
        if time.perf_counter() - began >= seconds:
            return done / (time.perf_counter() - began)
    raise AssertionError("a cycle does not end")


def main() -> None:
    """Answer one line for each line, until the input ends. The environment says where PostgreSQL is."""
    people = People()
    for line in sys.stdin:
        print(block(people, float(line)), flush=True)


if __name__ == "__main__":
    main()
