"""The subject of an event on JetStream: always seven tokens, `cortex.v1.<project>.<resource>.<id>.<entity>.<verb>`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cortex_eventing.errors import InvalidInput

ROOT = "cortex.v1"
NO_PROJECT = "_"
"""The project token of events that belong to no project."""

TOKEN = re.compile(r"[A-Za-z0-9_-]+")
"""What may stand between two dots: no dot, blank or wildcard, so that an id can never widen a subject."""

_TOKENS = 7


@dataclass(frozen=True)
class SubjectParts:
    """A subject taken apart.

    Attributes:
        project_id: an empty string when the event belongs to no project.
    """

    project_id: str
    resource: str
    resource_id: str
    entity: str
    verb: str

    def __str__(self) -> str:
        tokens = (self.project_id or NO_PROJECT, self.resource, self.resource_id, self.entity, self.verb)
        for name, token in zip(("project", "resource", "resource id", "entity", "verb"), tokens, strict=True):
            if not TOKEN.fullmatch(token):
                raise InvalidInput(
                    f"the {name} must be letters, digits, `_` and `-`", reason="INVALID_SUBJECT_TOKEN", field=name
                )
        return ".".join((ROOT, *tokens))


def parse_subject(subject: str) -> SubjectParts:
    """The parts of a subject of ours.

    Raises:
        ValueError: it is not one of ours.
    """
    tokens = subject.split(".")
    if len(tokens) != _TOKENS or not subject.startswith(f"{ROOT}."):
        raise ValueError("not the subject of an event")
    project, *rest = tokens[2:]
    return SubjectParts("" if project == NO_PROJECT else project, *rest)


def entity_filters(entities: Iterable[str]) -> tuple[str, ...]:
    """The subjects of a service's stream: one filter per entity that it owns, sorted."""
    return tuple(f"{ROOT}.*.*.*.{entity}.*" for entity in sorted(set(entities)))
