"""What readers count: projections and reactions alike, by name."""

from prometheus_client import Counter, Gauge

POSITION = Gauge("cortex_reader_position", "The position that a reader has dealt with.", ["reader"])
EVENTS = Counter(
    "cortex_reader_events", "Events that a reader has dealt with, by where they came from.", ["reader", "source"]
)
GAPS = Counter("cortex_reader_gaps", "Times that a stream lacked events, which the feed then gave.", ["reader"])
OVERTAKEN = Counter("cortex_reader_overtaken", "Times that another replica moved the checkpoint.", ["reader"])
PARKED = Counter("cortex_reader_parked_events", "Events that were set aside.", ["reader"])
IGNORED = Counter("cortex_reaction_ignored", "Commands of reactions whose refusal was expected.", ["reader", "reason"])
