"""What a process reads from the environment, told to people: every variable, its rule, its default, what it is for.

All of it is taken from the settings classes: rules and defaults from the fields, the meaning from what the class's
docstring says under `Attributes:`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import cleandoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from cortex_runtime.settings import Group, variable_of

ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
"""One line of a docstring's `Attributes:`, with those that go on with it."""

KINDS: Final[Mapping[object, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    SecretStr: "text, secret",
    Path: "a path",
}


@dataclass(frozen=True)
class Variable:
    """One variable of the environment.

    Attributes:
        name: such as `CORTEX_GRPC_PORT`.
        rule: what it may be.
        default: what holds without it; None when it must be set.
        meaning: what it is for.
    """

    name: str
    rule: str
    default: str | None
    meaning: str


def variables(settings: type[BaseSettings]) -> Sequence[Variable]:
    """Every variable that these settings are read from, in their order: what the service alone has comes last."""
    return list(_variables(settings, ()))


def _variables(model: type[BaseModel], place: tuple[str, ...]) -> Iterator[Variable]:
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            yield from _with_defaults(_variables(group, (*place, name)), field, (*place, name))
        else:
            meaning = f"{_about(model)}: {meanings[name]}" if place else meanings[name]
            yield Variable(variable_of((*place, name)), _rule(field), _default_of(field), meaning)


def _with_defaults(variables: Iterator[Variable], group: FieldInfo, place: tuple[str, ...]) -> Iterator[Variable]:
    """A group's variables, with the defaults that the group has in this place."""
    values = {} if group.is_required() else {variable_of((*place, name)): value for name, value in group.default}
    for variable in variables:
        yield replace(variable, default=_told(values[variable.name])) if variable.name in values else variable


def _meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """What the docstrings of a class, and of those that it extends, say of its fields."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        told = cleandoc(each.__doc__ or "").partition("Attributes:\n")[2]
        found |= {name: " ".join(meaning.split()).removesuffix(".") for name, meaning in ATTRIBUTE.findall(told)}
    return found


def _about(group: type[BaseModel]) -> str:
    return cleandoc(group.__doc__ or "").splitlines()[0].removesuffix(".")


def _rule(field: FieldInfo) -> str:
    """What a value may be, in a few words."""
    kind, inner = _kind(field.annotation)
    limits = list(_limits([*field.metadata, *inner]))
    return ", ".join([kind, *limits])


def _kind(annotation: object) -> tuple[str, Sequence[object]]:
    """What sort of value it is, and the rules that stand inside an optional one."""
    options = [option for option in get_args(annotation) if option is not NoneType]
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{option}`" for option in options), ()
    if get_origin(annotation) is Annotated:
        rules = [rule for each in options[1:] for rule in (each.metadata if isinstance(each, FieldInfo) else [each])]
        return _kind(options[0])[0], rules
    if get_origin(annotation) in {Union, UnionType}:
        return _kind(options[0])
    return KINDS.get(annotation, "a list in JSON"), ()


def _limits(rules: Sequence[object]) -> Iterator[str]:
    least = [rule.ge for rule in rules if isinstance(rule, Ge)]
    most = [rule.le for rule in rules if isinstance(rule, Le)]
    if least and most:
        yield f"{_number(least[0])} to {_number(most[0])}"
    elif least:
        yield f"at least {_number(least[0])}"
    if MinLen(1) in rules:
        yield "not empty"


def _number(limit: object) -> str:
    return f"{limit:,}".removesuffix(".0") if isinstance(limit, int | float) else str(limit)


def _default_of(field: FieldInfo) -> str | None:
    return None if field.is_required() else _told(field.default)


def _told(value: object) -> str:
    """A default, as it would be written into the environment."""
    match value:
        case bool():
            return "true" if value else "false"
        case None | "" | ():
            return "none"
        case float():
            return f"{value:g}"
        case Path() if value.is_relative_to(Path.cwd()):
            return str(value.relative_to(Path.cwd()))
        case _:
            return str(value)
