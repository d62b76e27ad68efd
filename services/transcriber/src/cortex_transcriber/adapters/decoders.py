"""The decoder for each format of audio."""

from cortex_transcriber.adapters.opus_decoder import OPUS_RATE, OpusDecoder
from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.speech.decoding import Decoder, PcmDecoder
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.recogniser import SAMPLE_RATE


def new_decoder(audio: AudioFormat) -> Decoder:
    """A decoder for the frames of one peer."""
    if audio.encoding is Encoding.OPUS:
        return OpusDecoder(audio, SoxrResampler(OPUS_RATE))
    return PcmDecoder(audio, None if audio.sample_rate == SAMPLE_RATE else SoxrResampler(audio.sample_rate))
