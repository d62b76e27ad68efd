"""The plugin refuses a run in which a test has no category or says nothing."""

import pytest

pytestmark = pytest.mark.integration

pytest_plugins = ["pytester"]

GOOD = '''
import pytest
pytestmark = pytest.mark.unit

@pytest.mark.parametrize("number", [1, 2])
def test_something(number):
    """It is so."""
    assert number
'''


NO_SENTENCE = GOOD.replace('"""It is so."""', "")
# What each module does wrong, and the line that says so.
WRONG = {
    "none": (GOOD.replace("pytestmark = pytest.mark.unit", ""), "*_none.py has no category: write `pytestmark = *"),
    "unknown": (GOOD.replace("mark.unit", "mark.skipif(False, reason='')"), "*_unknown.py has no category: *"),
    "two": (GOOD.replace("pytest.mark.unit", "[pytest.mark.unit, pytest.mark.e2e]"), "*has 2 categories (e2e, unit)*"),
    "own": (GOOD.replace("@pytest", "@pytest.mark.model\n@pytest"), "*::test_something has a category of its own *"),
    "mute": (NO_SENTENCE, "*_mute.py::test_something has no docstring: say in one sentence what it shows"),
    "blank": (GOOD.replace("It is so.", " "), "*_blank.py::test_something has no docstring*"),
    "server": (GOOD.replace("(number)", "(number, nats_url)"), "*is a unit test and uses a server (shared_nats_url)*"),
}


def run(pytester: pytest.Pytester, modules: dict[str, str]) -> pytest.RunResult:
    """A test run of these modules, in a process of its own."""
    pytester.makepyfile(**{f"test_{name}": text for name, text in modules.items()})
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_lets_a_good_module_run(pytester: pytest.Pytester) -> None:
    """One category, one sentence each."""
    run(pytester, {"good": GOOD}).assert_outcomes(passed=2)


def test_refuses_to_run_with_a_hint(pytester: pytest.Pytester) -> None:
    """Nothing runs, and a line for each mistake names the test and what to write."""
    result = run(pytester, {"good": GOOD} | {name: text for name, (text, _) in WRONG.items()})
    result.stderr.fnmatch_lines_random([complaint for _, complaint in WRONG.values()])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "test_good.py" not in result.stderr.str()


def test_complains_once_about_all_parameters(pytester: pytest.Pytester) -> None:
    """Two parameter sets of one test are one mistake."""
    result = run(pytester, {"mute": NO_SENTENCE})
    assert sum("has no docstring" in line for line in result.errlines) == 1


def test_a_state_machine_is_spoken_for_by_its_module(pytester: pytest.Pytester) -> None:
    """Nobody writes the method that hypothesis makes."""
    machine = '''
    """Whatever happens, it holds."""
    import pytest
    from hypothesis.stateful import RuleBasedStateMachine, rule
    pytestmark = pytest.mark.unit

    class Machine(RuleBasedStateMachine):
        @rule()
        def step(self):
            pass

    TestMachine = Machine.TestCase
    '''
    run(pytester, {"machine": machine}).assert_outcomes(passed=1)


def test_the_categories_are_known_as_markers(pytester: pytest.Pytester) -> None:
    """`pytest --markers` lists them, also outside this workspace."""
    result = pytester.runpytest_subprocess("--markers")
    result.stdout.fnmatch_lines(["*pytest.mark.faults: something is killed, cut off or wiped"])
