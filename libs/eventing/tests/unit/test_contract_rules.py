import pytest
from cortex_eventing.contract_rules import violations
from cortex_testkit.proto_builder import Definition, Field, define
from cortex_testkit.sample_events import BoxFilled, BoxOpened

pytestmark = pytest.mark.unit

ID = Field("thing_id", marks=("resource_id",))
OWNER = Field("owner_id", marks=("data_owner",))
EVENT = ("thing", "thing", "done", "thing.done")
PRIVATE_INNER = Definition("Inner", (Field("x", marks=("private",)),))
PERSONAL_INNER = Definition("Inner", (Field("x", marks=("personal",)),))


def _broken(*fields: Field, inner: Definition | None = None, event: tuple[str, str, str, str] | None = EVENT) -> str:
    definitions = [Definition("Thing", fields, event)] + ([inner] if inner else [])
    return "; ".join(violations([define("broken.thing.v1", *definitions)["Thing"]]))


def test_good_events_pass() -> None:
    """Events that obey every rule have nothing held against them."""
    assert violations([BoxOpened, BoxFilled]) == []


def test_an_event_needs_its_option() -> None:
    """A message that is no event is refused."""
    assert "no event option" in _broken(ID, event=None)


@pytest.mark.parametrize("fields", [(), (ID, Field("other", marks=("resource_id",)))])
def test_an_event_names_one_resource(fields: tuple[Field, ...]) -> None:
    """An event with no field, or two, for its resource's id is refused."""
    assert "exactly one field as resource_id" in _broken(*fields)


@pytest.mark.parametrize("field", [Field("n", "int64", ("resource_id",)), Field("n", "string", ("resource_id",), True)])
def test_a_resource_id_is_a_single_string(field: Field) -> None:
    """An id that is a number or a list is refused."""
    assert "single string" in _broken(field)


def test_ids_are_not_secret() -> None:
    """An id that stands in the subject can be neither personal nor private."""
    assert "neither personal nor private" in _broken(OWNER, Field("thing_id", marks=("resource_id", "personal")))


@pytest.mark.parametrize("token", ["", "a.b", "*", "a b"])
def test_names_are_subject_tokens(token: str) -> None:
    """An entity that is not one plain token of a subject is refused."""
    assert "entity must be one token" in _broken(ID, event=("thing", token, "done", "thing.done"))


def test_personal_data_has_an_owner() -> None:
    """Personal data that belongs to nobody could never be erased, so it is refused."""
    assert "marks no data_owner" in _broken(ID, Field("name", marks=("personal",)))


def test_marks_do_not_stand_inside_repeated_messages() -> None:
    """A marked field reached through a repeated message would be doubled by opening, so it is refused."""
    lists = Field("inner", "Inner", repeated=True)
    assert "reached through repeated" in _broken(ID, OWNER, lists, inner=PERSONAL_INNER)
    assert "reached through repeated" in _broken(ID, lists, inner=PRIVATE_INNER)
    assert _broken(ID, OWNER, Field("inner", "Inner"), inner=PERSONAL_INNER) == ""


def test_private_does_not_hide_in_personal() -> None:
    """A private field inside a personal message would travel with it, so it is refused."""
    assert "has a private field in it" in _broken(
        ID, OWNER, Field("inner", "Inner", ("personal",)), inner=PRIVATE_INNER
    )
    assert "personal and private at once" in _broken(ID, OWNER, Field("x", marks=("personal", "private")))


def test_an_entity_belongs_to_one_service() -> None:
    """Two services with one entity would have overlapping streams, so they are refused."""
    one = define("one.v1", Definition("A", (ID,), ("thing", "thing", "made", "thing.made")))["A"]
    two = define("two.v1", Definition("B", (ID,), ("thing", "thing", "lost", "thing.lost")))["B"]
    assert violations([one]) == violations([two]) == []
    assert violations([one, two]) == ["entity thing belongs to several services: one.v1, two.v1"]


def test_a_name_is_used_once() -> None:
    """Two events of one type, or on one subject, are refused."""
    made = define(
        "one.v1",
        Definition("A", (ID,), ("thing", "thing", "made", "thing.made")),
        Definition("B", (ID,), ("thing", "thing", "made", "thing.made")),
    )
    found = "; ".join(violations(list(made.values())))
    assert "one.v1.B has the type of one.v1.A" in found
    assert "one.v1.B has the entity and verb of one.v1.A" in found
