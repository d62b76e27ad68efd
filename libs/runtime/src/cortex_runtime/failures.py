"""What can be told of an exception without its text, which may hold anything."""

import traceback
from collections.abc import Iterator
from pathlib import PurePath

_MOST_FRAMES = 30  # the innermost ones; deeper stacks are recursion


class CannotStart(Exception):
    """The process cannot work as it was set up. The message is one line for the operator: what, and what to do."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, at any depth; an exception that is no group is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def type_of(error: BaseException) -> str:
    """An exception's type with its module, for example `builtins.ValueError`."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def frames_of(error: BaseException) -> list[str]:
    """Where it was raised, outermost first, each as `file.py:12 function`."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
