"""What each role of a process is doing, as metrics and health tell it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from prometheus_client import Gauge


class Condition(Enum):
    """How a role is."""

    STANDBY = "standby"
    """Another replica runs it."""
    WORKING = "working"
    WAITING = "waiting"
    """Something that it needs is away; it tries again for ever."""
    ALARMED = "alarmed"
    """It will not go on until a person has looked."""


ROLE_CONDITION = Gauge("cortex_role_condition", "1 for the condition that a role is in.", ["role", "condition"])


@dataclass(frozen=True)
class RoleState:
    """A role's condition, and for people why."""

    name: str
    condition: Condition
    why: str = ""


class Report:
    """Where a role says how it is."""

    def __init__(self, name: str) -> None:
        self.state = RoleState(name, Condition.STANDBY)
        self._tell(Condition.STANDBY, "")

    def standby(self) -> None:
        """Another replica runs it."""
        self._tell(Condition.STANDBY, "")

    def working(self) -> None:
        """All is well."""
        self._tell(Condition.WORKING, "")

    def waiting(self, why: str) -> None:
        """Something is away."""
        self._tell(Condition.WAITING, why)

    def alarmed(self, why: str) -> None:
        """A person must look; `why` says what to do."""
        self._tell(Condition.ALARMED, why)

    def again(self, state: RoleState) -> None:
        """It is as it was before."""
        self._tell(state.condition, state.why)

    def _tell(self, condition: Condition, why: str) -> None:
        name = self.state.name
        if self.state == RoleState(name, condition, why) and condition is not Condition.STANDBY:
            return
        self.state = RoleState(name, condition, why)
        for each in Condition:
            ROLE_CONDITION.labels(name, each.value).set(each is condition)


class Absences:
    """What parts of a role wait for while the others go on: the role waits as long as one of them does.

    Args:
        report: where that is said.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._absent: dict[object, str] = {}
        self._before = report.state

    @contextmanager
    def one(self) -> Iterator[Callable[[str], None]]:
        """For one part: what to call with the reason whenever it must wait. At the end it waits no more."""
        part = object()

        def absent(why: str) -> None:
            if not self._absent:
                self._before = self._report.state
            self._absent[part] = why
            self._report.waiting(why)

        try:
            yield absent
        finally:
            if self._absent.pop(part, None) is not None:
                self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        if self._absent:
            self._report.waiting(next(iter(self._absent.values())))
        else:
            self._report.again(self._before)


class Reports:
    """The reports of all roles of a process."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}

    def of(self, name: str) -> Report:
        """The report of a role, the same object each time."""
        if name not in self._reports:
            self._reports[name] = Report(name)
        return self._reports[name]

    def __iter__(self) -> Iterator[RoleState]:
        return iter([report.state for report in self._reports.values()])
