"""The log says what happened, and nothing that anybody said or is called."""

import io
import json
import logging
from typing import Any

import pytest
from cortex_runtime import logs
from cortex_runtime.logs import log

pytestmark = pytest.mark.unit


@pytest.fixture
def written() -> io.StringIO:
    """The log of one test."""
    file = io.StringIO()
    logs.configure("session", "info", safe_keys=["tokens"], file=file)
    return file


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_has_an_action_and_safe_values(written: io.StringIO) -> None:
    """Ids and counts are told as they are, with time, level and service."""
    log().info("page_written", count=3, read_model="messages", tokens=5)
    (line,) = lines(written)
    assert line.pop("time").endswith("Z")
    assert line == {
        "action": "page_written",
        "count": 3,
        "read_model": "messages",
        "tokens": 5,
        "level": "info",
        "service": "session",
    }


def test_what_is_not_marked_safe_is_withheld(written: io.StringIO) -> None:
    """A careless line loses information instead of telling somebody's name."""
    log().info("created", display_name="Ada Lovelace", email="ada@example.org", count=1)
    (line,) = lines(written)
    assert line["withheld"] == ["display_name", "email"]
    assert "Ada" not in written.getvalue()


@pytest.mark.parametrize("value", ["x" * 501, {"name": "Ada"}, b"Ada", ["Ada", {"a": 1}], object()])
def test_safe_keys_hold_short_plain_values(written: io.StringIO, value: object) -> None:
    """A text that is longer than any id of ours, or a whole object, is not what a safe key is for."""
    log().info("created", reason=value)
    assert lines(written)[0]["withheld"] == ["reason"]


def test_exceptions_are_told_by_type_and_place(written: io.StringIO) -> None:
    """The text of an exception may hold anything, so it is not told; where it happened is."""
    try:
        raise ValueError("no such user: Ada")  # noqa: TRY301 - the traceback is what is looked at
    except ValueError:
        log().error("failed", exc_info=True)
    (line,) = lines(written)
    assert line["error_type"] == "builtins.ValueError"
    assert line["frames"][-1].endswith("test_exceptions_are_told_by_type_and_place")
    assert "Ada" not in written.getvalue()


def test_groups_name_all_their_types(written: io.StringIO) -> None:
    """What failed together is told together."""
    log().error("failed", exc_info=ExceptionGroup("both", [ValueError("Ada"), ExceptionGroup("in", [KeyError("Ada")])]))
    assert lines(written)[0]["errors"] == ["builtins.ValueError", "builtins.KeyError"]
    assert "Ada" not in written.getvalue()


def test_lines_of_libraries_are_places(written: io.StringIO) -> None:
    """Nobody knows what the texts of others hold, so only where they were written is told."""
    logging.getLogger("nats.aio").warning("slow consumer: %s", "Ada")
    logging.getLogger("nats.aio").info("connected")
    (line,) = lines(written)
    assert (line["action"], line["logger"], line["level"]) == ("library_line", "nats.aio", "warning")
    assert line["place"].startswith("test_logs:")
    assert "Ada" not in written.getvalue()


def test_alarms_reach_the_operator_with_what_to_do(written: io.StringIO) -> None:
    """What the library of events writes names roles, streams and positions, and the longest of it is told whole."""
    alarm = "stream SESSION is not of this store: it ends with position 7, " + "and so on. " * 25
    logging.getLogger("cortex_eventing.roles").error("%s: %s", "relay", alarm)
    (line,) = lines(written)
    assert (line["action"], line["what"], line["level"]) == ("eventing", f"relay: {alarm}", "error")


def test_lines_below_the_level_are_not_written(written: io.StringIO) -> None:
    """Debugging costs nothing when it is off."""
    log().debug("detail")
    assert lines(written) == []
