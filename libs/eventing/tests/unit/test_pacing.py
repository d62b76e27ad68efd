import pytest
from cortex_eventing.pacing import Pace

pytestmark = pytest.mark.unit


@pytest.fixture
def pace() -> Pace:
    """A hundred rounds a second, four of them at once."""
    return Pace(rate=100, burst=4)


def began(pace: Pace, arrivals: list[float], cost: float = 1) -> list[float]:
    """When the rounds for what arrives then begin, each of which takes no time."""
    free, begun = 0.0, []
    for arrival in arrivals:
        at = max(arrival, free)
        begun.append(at)
        free = at + pace.wait_after(cost, at)
    return begun


def test_what_comes_seldom_never_waits(pace: Pace) -> None:
    """Below the rate every round begins when it is asked for."""
    arrivals = [number * 0.011 for number in range(500)]
    assert began(pace, arrivals) == arrivals


def test_a_few_at_once_do_not_wait(pace: Pace) -> None:
    """A burst that is followed by a pause is taken as it comes, again and again."""
    arrivals = [second + number * 0.001 for second in range(5) for number in range(4)]
    assert began(pace, arrivals) == arrivals


def test_what_comes_faster_is_kept_to_the_rate(pace: Pace) -> None:
    """Of a thousand a second a hundred begin."""
    begun = began(pace, [number * 0.001 for number in range(1_000)])
    assert begun[-1] == pytest.approx((1_000 - 4) / 100, rel=0.01)


def test_a_dear_round_makes_the_next_wait_longer(pace: Pace) -> None:
    """Rounds that cost two tokens come half as often."""
    begun = began(pace, [0.0] * 101, cost=2)
    assert begun[-1] - begun[50] == pytest.approx(1.0)
