"""What `make soak` does is chosen by its seed."""

from random import Random

import pytest

from soak.faults import chosen
from tests.faults.installation import SERVICES
from tests.faults.walks import WALKS

pytestmark = pytest.mark.faults

MANY = 2_000


def choices(seed: int, number: int) -> list[str]:
    chance = Random(seed)  # noqa: S311 - chance that repeats is what is wanted
    return [chosen(chance).what for _ in range(number)]


def test_a_seed_repeats_the_choices() -> None:
    """Who saw a failure can have the same faults in the same order, and another seed gives others."""
    assert choices(1, 50) == choices(1, 50)
    assert choices(1, 50) != choices(2, 50)


def test_everything_has_its_turn() -> None:
    """Each service is killed, at each of its failpoints too, both servers, and each stream is damaged."""
    said = "\n".join(choices(3, MANY))
    failpoints = {
        f"killed {name} at {point}," for names, points in WALKS.values() for name in names for point in points
    }
    streams = {f"deleted of the stream of {name}: {part}" for name in SERVICES for part in ("tail", "stream")}
    away = {f"killed {name} and deleted of its stream: {part}" for name in SERVICES for part in ("all", "subject")}
    servers = {"killed nats-server, away", "killed nats-server and lost", "killed PostgreSQL", "killed everything"}
    kills = {f"killed {name}, away" for name in SERVICES}
    assert {each for each in failpoints | streams | away | servers | kills if each not in said} == set()
