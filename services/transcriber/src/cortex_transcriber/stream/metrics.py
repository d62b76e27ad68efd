"""What streams count."""

from prometheus_client import Counter, Gauge

OPEN_STREAMS = Gauge("cortex_transcriber_open_streams", "Streams of bots that are open.")
SPEAKERS = Gauge("cortex_transcriber_speakers", "Peers that are being heard.")
FRAMES = Counter(
    "cortex_transcriber_frames_total",
    "Frames, by what became of them: heard, lost, silent (announced), resent (though acknowledged), duplicate; of "
    "those heard, reordered and corrupt (the codec could make nothing of them); of those lost, late.",
    ["fate"],
)
UNRECOGNISED = Counter(
    "cortex_transcriber_unrecognised_total", "Segments that the model, which took others, could not take: lost speech."
)
UTTERANCES = Counter("cortex_transcriber_utterances_total", "Utterances stored.")
REFUSED = Counter(
    "cortex_transcriber_refused_total", "Messages and peers refused on open streams, by reason.", ["reason"]
)
STREAMS_REFUSED = Counter(
    "cortex_transcriber_streams_refused_total",
    "Streams that were not opened: REPLICA_FULL, PROJECT_FULL, or REPLICA_BUSY, when finals are late.",
    ["reason"],
)
INTERIMS_SHED = Counter(
    "cortex_transcriber_interims_shed_total", "Interim texts that there was no time for, as finals come first."
)
EARLY = Counter(
    "cortex_transcriber_early_recognitions_total",
    "Utterances whose recognition was to begin in the pause at their end: used, shed (no worker had time), vain "
    "(speech went on).",
    ["fate"],
)
LATENESS = Gauge(
    "cortex_transcriber_final_lateness_seconds",
    "For how long the oldest final that is not there yet has been waited for, from its endpoint on.",
)
