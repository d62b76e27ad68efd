"""What is logged can be read: no line names a key that would be withheld."""

import ast
from pathlib import Path

import pytest
from cortex_runtime.logs import SAFE_KEYS

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def _log_calls(path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and ast.unparse(node.func.value) in {"log()", "_log"}
    ]


def test_logged_keys_are_safe_ones() -> None:
    """A key outside the safe ones would be withheld, and its line would say less than it was meant to."""
    calls = [(path, call) for path in sorted(ROOT.glob("*/*/src/cortex_*/**/*.py")) for call in _log_calls(path)]
    assert len(calls) > 10
    named = [(path.name, word.arg) for path, call in calls for word in call.keywords if word.arg]
    assert [pair for pair in named if pair[1] not in SAFE_KEYS | {"exc_info"}] == []
