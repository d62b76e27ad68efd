"""The bare recogniser: the same audio as the service decodes it, cut by the script's own hand, utterance by utterance.

So what the service costs is what its cuts and its doubts cost, and nothing else.
"""

from collections.abc import Sequence

import numpy as np
from cortex_client.unacknowledged import LOST
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.speech.pcm import to_float
from cortex_transcriber.speech.recogniser import Recogniser

from bench.conversations import Pcm
from scripts.speech.conditions import Sent
from scripts.speech.voices import FRAME, Span


def heard(recogniser: Recogniser, sent: Sent, spoken: Sequence[Span]) -> str:
    """The words of a track."""
    pcm = decoded(sent)
    return " ".join(recogniser.recognise(to_float(pcm[start:end])).text for start, end in spoken)


def decoded(sent: Sent) -> Pcm:
    """A track at 16 kHz; what was lost is concealed where the decoder can."""
    decoder = new_decoder(sent.audio)
    pieces: list[Pcm] = []
    for frame in sent.frames:
        if frame is not None and frame != LOST:
            pieces.append(decoder.decode([frame]))
            continue
        guess = decoder.conceal(1) if frame == LOST else None
        pieces += [guess] if guess is not None else [decoder.flush(), np.zeros(FRAME, dtype=np.int16)]
    return np.concatenate([*pieces, decoder.flush()])
