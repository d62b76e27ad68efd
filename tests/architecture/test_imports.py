"""Who may import whom."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
TECHNOLOGY = {
    "grpc",
    "nats",
    "psycopg",
    "psycopg_pool",
    "onnx",
    "onnxruntime",
    "onnx_asr",
    "eventsourcing",
    "av",
    "soxr",
}
SERVICES = {"cortex_gathering", "cortex_identity", "cortex_session", "cortex_transcriber"}
ABOVE_EVENTING = {"cortex_runtime", "cortex_client", "cortex_testkit", "cortex_cli"}
WITHOUT_SERVICES = "libs/cli/src/cortex_cli/local/"
"""Where the command line does by itself what it asks a service for elsewhere: the one way from libs/ to a service."""
FREE_LIBRARIES = ("libs/contracts", "libs/client", "libs/testkit")
PURE = ("cortex_eventing.decider", "cortex_eventing.errors", "cortex_eventing.times")
IMPURE = ("datetime.datetime.now", "datetime.now", "uuid.uuid", "time.", "random", "os.", "asyncio", "secrets")


def violations(folders: str, forbidden: Callable[[Path, str], bool]) -> list[str]:
    """Each module under `folders` with a name that it imports and may not."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(ROOT.glob(f"{folders}/src/**/*.py"))
        for name in imports(path)
        if forbidden(path, name)
    ]


def imports(path: Path) -> Iterator[str]:
    """The full name of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def own_package(path: Path) -> str:
    return f"cortex_{path.relative_to(ROOT).parts[1]}"


def is_adapter(path: Path) -> bool:
    return (
        "adapters" in path.parts or path.name == "wiring.py" or str(path.relative_to(ROOT)).startswith(FREE_LIBRARIES)
    )


def test_there_is_something_to_judge() -> None:
    """The rules below see the services and libraries, so that a moved folder cannot pass them by."""
    assert len(list(ROOT.glob("libs/*/src/**/*.py"))) > 20
    assert len(list(ROOT.glob("services/*/src/**/domain/*.py"))) > 5


def test_technology_stays_in_adapters() -> None:
    """Drivers are imported under adapters/ and in wiring.py, nowhere else."""
    assert violations("*/*", lambda path, name: top(name) in TECHNOLOGY and not is_adapter(path)) == []


def test_no_service_imports_another() -> None:
    """Services know each other by their contracts alone."""
    assert violations("services/*", lambda path, name: top(name) in SERVICES - {own_package(path)}) == []


def test_libraries_import_no_service() -> None:
    """Libraries serve the services and do not know them."""
    known = violations("libs/*", lambda _, name: top(name) in SERVICES)
    assert [line for line in known if not line.startswith(WITHOUT_SERVICES)] == []


def test_the_command_line_knows_the_transcriber_alone_and_in_one_place() -> None:
    """What works without any service is in one folder, imported where it is used: it may not be installed."""
    services = SERVICES - {"cortex_transcriber"}
    assert violations("libs/cli", lambda _, name: top(name) in services) == []
    local = f"{WITHOUT_SERVICES.removeprefix('libs/cli/src/').replace('/', '.')}"
    at_the_top = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for path in sorted(ROOT.glob("libs/cli/src/**/*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom) and local in ast.unparse(node) + "."
    ]
    assert [line for line in at_the_top if not line.startswith(WITHOUT_SERVICES)] == []


def test_nothing_is_built_on_the_command_line() -> None:
    """The command line is a way in, and no library."""
    assert violations("*/*", lambda path, name: top(name) == "cortex_cli" and own_package(path) != "cortex_cli") == []


def test_eventing_does_not_know_what_runs_it() -> None:
    """The mechanism of events lies below the processes that run it."""
    assert violations("libs/eventing", lambda _, name: top(name) in ABOVE_EVENTING) == []


def test_services_do_not_ship_test_tools() -> None:
    """What is installed in production needs no pytest."""
    assert violations("services/*", lambda _, name: top(name) in {"cortex_testkit", "pytest", "hypothesis"}) == []


def test_the_domain_imports_only_pure_things() -> None:
    """A domain imports messages, the decider, its own package and pure standard modules."""

    def forbidden(path: Path, name: str) -> bool:
        foreign = name.startswith("cortex_") and top(name) != own_package(path) and not name.startswith(PURE)
        return "domain" in path.parts and name != "cortex_eventing" and (foreign or name.startswith(IMPURE))

    assert violations("services/*", forbidden) == []


def test_the_domain_reads_no_clock_and_draws_no_ids() -> None:
    """Time, ids and chance are handed in, so that every decision can be repeated."""
    calls = [
        f"{path.relative_to(ROOT)} calls {ast.unparse(node.func)}"
        for path in sorted(ROOT.glob("services/*/src/*/domain/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(IMPURE)
    ]
    assert [call for call in calls if not call.endswith("uuid.uuid5")] == []


def test_read_models_and_reactions_know_no_adapter() -> None:
    """What is folded and what is reacted to can be tested on plain values."""
    inner = {"domain", "read_models", "reactions"}
    assert violations("services/*", lambda path, name: bool(inner & set(path.parts)) and ".adapters" in name) == []


def test_the_generated_package_holds_nothing_else() -> None:
    """`cortex` is what protos/ gives; everything written by hand is `cortex_<name>`."""
    names = {path.name for path in (ROOT / "libs/contracts/src/cortex").rglob("*.py")} - {"__init__.py"}
    assert {name for name in names if not name.endswith(("_pb2.py", "_pb2_grpc.py"))} == set()
