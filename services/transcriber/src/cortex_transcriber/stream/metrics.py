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
