import importlib
import pkgutil
from collections.abc import Iterator

import cortex
import pytest
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.contract_rules import violations
from cortex_eventing.options import descriptor_of, is_event
from google.protobuf import message_factory
from google.protobuf.message import Message

pytestmark = pytest.mark.contracts


def _events() -> Iterator[type[Message]]:
    """Every event of every contract, found rather than listed, so that none can be forgotten."""
    for module in pkgutil.walk_packages(cortex.__path__, "cortex."):
        if not module.name.endswith("_pb2"):
            continue
        for descriptor in importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values():
            if is_event(descriptor):
                yield message_factory.GetMessageClass(descriptor)


def test_every_contract_obeys_the_rules() -> None:
    """The options of all our events make sound subjects, splits and streams, across services too."""
    events = list(_events())
    assert {"cortex.identity.v1.ParticipantCreated", "cortex.transcriber.v1.UtteranceTranscribed"} <= {
        descriptor_of(event).full_name for event in events
    }
    assert violations(events) == []


def test_streams_do_not_overlap() -> None:
    """The subject filters of one service's stream are in no other service's."""
    by_service: dict[str, list[type[Message]]] = {}
    for event in _events():
        by_service.setdefault(descriptor_of(event).file.package, []).append(event)
    filters = [subject for events in by_service.values() for subject in Catalogue(events).filters()]
    assert len(filters) == len(set(filters)) > len(by_service)
