"""Every test module has exactly one category, and every test says in a sentence what it shows."""

import unittest
from collections.abc import Iterator, Sequence

import pytest

CATEGORIES = {
    "unit": "no server, no process, no file outside the test's own folder",
    "integration": "one part with the real servers",
    "e2e": "whole services together",
    "faults": "something is killed, cut off or wiped",
    "architecture": "who may import whom, and the shape of the repository",
    "contracts": "protos, options and golden files",
    "model": "the shipped speech model hears",
}

# The fixtures that start a server; a unit test has none.
SERVERS = {"postgres_dsn", "shared_nats_url", "own_postgres", "own_nats"}


def complaints(items: Sequence[pytest.Item]) -> Iterator[str]:
    """What is wrong with the collected tests, one line each."""
    modules = {module.nodeid: module for item in items if (module := item.getparent(pytest.Module))}
    for module in modules.values():
        yield from _about_module(module)
    for name, item in {_name(item): item for item in items}.items():
        yield from _about_test(name, item)


def _about_module(module: pytest.Module) -> Iterator[str]:
    found = sorted({mark.name for mark in module.own_markers} & CATEGORIES.keys())
    if len(found) != 1:
        has = f"has {len(found)} categories ({', '.join(found)})" if found else "has no category"
        yield f"{module.nodeid} {has}: write `pytestmark = pytest.mark.unit`, or another one of {', '.join(CATEGORIES)}"


def _about_test(name: str, item: pytest.Item) -> Iterator[str]:
    module = item.getparent(pytest.Module)
    if module is None:
        return
    of_module = {mark.name for mark in module.own_markers} & CATEGORIES.keys()
    foreign = {mark.name for mark in item.iter_markers()} & CATEGORIES.keys() - of_module
    if foreign and of_module:
        yield f"{name} has a category of its own ({', '.join(sorted(foreign))}): move it to a module of that category"
    if not _says_what_it_shows(item, module):
        yield f"{name} has no docstring: say in one sentence what it shows"
    servers = SERVERS & set(getattr(item, "fixturenames", ()))
    if of_module == {"unit"} and servers:
        yield f"{name} is a unit test and uses a server ({', '.join(sorted(servers))}): make it an integration test"


def _says_what_it_shows(item: pytest.Item, module: pytest.Module) -> bool:
    function, owner = getattr(item, "function", None), getattr(item, "cls", None)
    if owner is not None and issubclass(owner, unittest.TestCase):
        # Made by hypothesis from a state machine: nobody wrote the method, so the module speaks for it.
        return any((getattr(speaker, "__doc__", None) or "").strip() for speaker in (owner, module.obj))
    return function is None or bool((function.__doc__ or "").strip())


def _name(item: pytest.Item) -> str:
    """Without parameters: one complaint for all of them."""
    return item.nodeid.partition("[")[0]
