"""Add today's stored form of every event to the golden file, after one gained a field. Nothing is ever removed.

`tests/contracts/test_stored_events.py` opens and folds all that is in the file, for as long as there are stores.
"""

import base64
import datetime as dt
import json
import pathlib

from cortex_eventing.recorded import Origin
from cortex_eventing.stored_form import state_of
from cortex_identity import derived as identity
from cortex_session import derived as session
from cortex_testkit.populated import populated
from cortex_transcriber import wiring as transcriber
from google.protobuf.json_format import MessageToDict

FILE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "contracts" / "golden" / "stored_events.json"
ORIGIN = Origin(
    "018f0000-0000-7000-8000-0000000000ff", "key:1", "correlation", "causation", "00-0af7651916cd43dd-b7ad-01"
)
RECORDED_AT = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
CATALOGUES = (identity.EVENTS, session.EVENTS, transcriber.EVENTS)


def entries():
    for catalogue in CATALOGUES:
        for event_type in catalogue.all():
            event = populated(event_type.message_class)
            topic, state = state_of(catalogue, event, ORIGIN, RECORDED_AT)
            fields = MessageToDict(event, preserving_proto_field_name=True)
            yield {"topic": topic, "state": base64.b64encode(state).decode(), "event": fields}


def main():
    known = json.loads(FILE.read_text()) if FILE.exists() else []
    # Told apart by what they say: maps have no order, so the same event has many serialized forms.
    said = [(entry["topic"], entry["event"]) for entry in known]
    new = [entry for entry in entries() if (entry["topic"], entry["event"]) not in said]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(known + new, indent=1, ensure_ascii=False) + "\n")
    print(f"golden: {len(new)} new, {len(known)} known")


if __name__ == "__main__":
    main()
