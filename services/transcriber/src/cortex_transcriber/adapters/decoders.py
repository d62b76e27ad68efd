"""The decoder for each format of audio."""

from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.speech.decoding import Decoder, PcmDecoder
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.recogniser import SAMPLE_RATE


def new_decoder(audio: AudioFormat) -> Decoder:
    """A decoder for the frames of one peer."""
    return PcmDecoder(audio, None if audio.sample_rate == SAMPLE_RATE else SoxrResampler(audio.sample_rate))
