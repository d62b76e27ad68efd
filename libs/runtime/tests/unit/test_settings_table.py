"""What people are told of the environment is what the settings classes say."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from cortex_runtime.settings import Group, ServiceSettings
from cortex_runtime.settings_table import Variable, variables
from pydantic import Field

pytestmark = pytest.mark.unit


class OvenSettings(Group):
    """The oven.

    Attributes:
        heat: degrees; more is
            not better.
        loaves: at once; by default as many as fit.
        fuel: what it burns.
        door: where it is.
        lit: whether it burns.
    """

    heat: Annotated[float, Field(ge=0, le=2_500)]
    loaves: Annotated[int, Field(ge=1)] | None = None
    fuel: Literal["wood", "gas"] = "wood"
    door: Path = Path("front")
    lit: bool = False


class BakerySettings(ServiceSettings):
    """What a bakery needs.

    Attributes:
        name: over the door.
    """

    oven: OvenSettings
    spare: OvenSettings = OvenSettings(heat=90, loaves=4)
    name: Annotated[str, Field(min_length=1)] = "Crumb"


@pytest.fixture(scope="module")
def told() -> dict[str, Variable]:
    """By variable."""
    return {variable.name: variable for variable in variables(BakerySettings)}


def test_what_every_service_reads_comes_with_its_docstring(told: dict[str, Variable]) -> None:
    """The meaning names the group first."""
    assert told["CORTEX_GRPC_GRACE"] == Variable(
        "CORTEX_GRPC_GRACE",
        "a number, 0 to 600",
        "10",
        "The gRPC server: seconds that running calls get to end in when the process stops",
    )
    assert told["CORTEX_CLAIM_KEY"].rule == "text, secret"
    assert told["CORTEX_CLAIM_KEY"].default is None


def test_a_group_of_the_services_own(told: dict[str, Variable]) -> None:
    """Rules of optional fields, lines that go on, choices, paths and switches."""
    assert told["CORTEX_OVEN_HEAT"] == Variable(
        "CORTEX_OVEN_HEAT", "a number, 0 to 2,500", None, "The oven: degrees; more is not better"
    )
    assert (told["CORTEX_OVEN_LOAVES"].rule, told["CORTEX_OVEN_LOAVES"].default) == (
        "a whole number, at least 1",
        "none",
    )
    assert (told["CORTEX_OVEN_FUEL"].rule, told["CORTEX_OVEN_FUEL"].default) == ("`wood` or `gas`", "wood")
    assert (told["CORTEX_OVEN_DOOR"].rule, told["CORTEX_OVEN_DOOR"].default) == ("a path", "front")
    assert (told["CORTEX_OVEN_LIT"].rule, told["CORTEX_OVEN_LIT"].default) == ("true or false", "false")


def test_defaults_are_those_of_the_place(told: dict[str, Variable]) -> None:
    """The same group may stand in two places with other defaults."""
    assert (told["CORTEX_SPARE_HEAT"].default, told["CORTEX_SPARE_LOAVES"].default) == ("90", "4")
    assert (told["CORTEX_NAME"].rule, told["CORTEX_NAME"].default) == ("text, not empty", "Crumb")
