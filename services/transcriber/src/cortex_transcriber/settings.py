"""What the transcriber reads from the environment."""

from pathlib import Path
from typing import Annotated, Literal, Self

from cortex_runtime.settings import Group, ServiceSettings
from pydantic import Field, model_validator

from cortex_transcriber.recordings.limits import AT_ONCE, LARGEST_BYTES, LONGEST_S, RecordingLimits
from cortex_transcriber.shipped_model import MANIFEST
from cortex_transcriber.speech.segmenting import LONGEST_ENDPOINT_MS, SHORTEST_ENDPOINT_MS, Segmenting
from cortex_transcriber.stream.limits import MAX_PEERS

SHIPPED_MODEL = Path(__file__).resolve().parents[4] / ".cache" / "models" / MANIFEST.name
"""Where the set-up of a checkout puts the model that comes with the installation; elsewhere CORTEX_MODEL_DIR is set."""

MOST_STREAMS = 200
"""Rooms of one process: far more than its cores can hear at once, so that silent rooms need no replicas of their own"""


LATE_MS = 2_000
"""Several times what a final takes to come where there is time for everybody (p95 below 500 ms); people who read along
notice it from here on."""


class AddressSettings(Group):
    """Another service.

    Attributes:
        address: where its gRPC server is, as gRPC names targets.
    """

    address: Annotated[str, Field(min_length=1)]


class ModelSettings(Group):
    """The speech models.

    Attributes:
        dir: the directory of the model and its manifest. It hears what comes without a language.
        more_dirs: directories of further models. The language of a session or recording chooses among all.
        recogniser: `model` for those in the directories; `scripted` for tests: it reads marks hidden in the audio.
        workers: recognitions at once, of all models together.
        threads: of one recognition.
        batch: utterances that a model is given at once; always 1 where words would depend on the neighbours.
        measure: whether the process finds out at its start which of these, as far as they are not set, are best.
            Otherwise a core has a worker, a recognition one thread, and utterances are recognised one by one.
    """

    dir: Path = SHIPPED_MODEL
    more_dirs: tuple[Path, ...] = ()
    recogniser: Literal["model", "scripted"] = "model"
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    batch: Annotated[int, Field(ge=1, le=64)] | None = None
    measure: bool = True


class SpeechSettings(Group):
    """How speech is cut into utterances.

    Attributes:
        endpoint_ms: silence that ends an utterance, on streams that ask for no other.
        start_padding_ms: audio taken in before speech, so far as no earlier utterance has it.
        end_padding_ms: audio taken in after speech; less than the silence that ends it by 100 ms at least.
        shortest_ms: speech that an utterance must have; what is shorter is noise.
        longest_ms: length at which speech without a pause is split.
        interim_ms: speech between two interim texts; 0 for none.
        early_ms: silence after which an utterance is likely enough to be over for its recognition to begin, so that
            most texts are there when it is; 0 for never.
    """

    endpoint_ms: Annotated[int, Field(ge=SHORTEST_ENDPOINT_MS, le=LONGEST_ENDPOINT_MS)] = Segmenting.endpoint_ms
    start_padding_ms: Annotated[int, Field(ge=0, le=1_000)] = Segmenting.start_padding_ms
    end_padding_ms: Annotated[int, Field(ge=0, le=1_000)] = Segmenting.end_padding_ms
    shortest_ms: Annotated[int, Field(ge=0, le=2_000)] = Segmenting.min_speech_ms
    longest_ms: Annotated[int, Field(ge=2_000, le=30_000)] = Segmenting.max_utterance_ms
    interim_ms: Annotated[int, Field(ge=0, le=30_000)] = Segmenting.interim_ms
    early_ms: Annotated[int, Field(ge=0, le=LONGEST_ENDPOINT_MS)] = Segmenting.early_ms

    @property
    def segmenting(self) -> Segmenting:
        """The same, as speech is cut by it."""
        return Segmenting(
            endpoint_ms=self.endpoint_ms,
            start_padding_ms=self.start_padding_ms,
            end_padding_ms=self.end_padding_ms,
            min_speech_ms=self.shortest_ms,
            max_utterance_ms=self.longest_ms,
            interim_ms=self.interim_ms,
            early_ms=self.early_ms,
        )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        _ = self.segmenting
        return self


class StreamSettings(Group):
    """The streams of bots.

    Attributes:
        most: open at once in this process; further ones are refused with a retry delay.
        most_of_project: of one project at once in this process, likewise; unset: no fewer than `most`.
        peers: of one stream at once.
        late_ms: once a final has been waited for so long, no further stream is opened until finals are in time again.
    """

    most: Annotated[int, Field(ge=1)] = MOST_STREAMS
    most_of_project: Annotated[int, Field(ge=1)] | None = None
    peers: Annotated[int, Field(ge=1, le=1_000)] = MAX_PEERS
    late_ms: Annotated[int, Field(ge=100, le=60_000)] = LATE_MS


class RecordingSettings(Group):
    """What `Recognize` takes.

    Attributes:
        largest_bytes: of one file.
        longest_s: seconds of one recording.
        at_once: recordings heard at once; further ones are refused with a retry delay.
    """

    largest_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = LARGEST_BYTES
    longest_s: Annotated[int, Field(ge=1, le=86_400)] = LONGEST_S
    at_once: Annotated[int, Field(ge=1, le=64)] = AT_ONCE

    @property
    def limits(self) -> RecordingLimits:
        """The same, as recordings are bounded by them."""
        return RecordingLimits(self.largest_bytes, self.longest_s, self.at_once)


class TranscriberSettings(ServiceSettings):
    """What every service needs, and what hearing needs."""

    session: AddressSettings
    identity: AddressSettings
    model: ModelSettings = ModelSettings()
    speech: SpeechSettings = SpeechSettings()
    streams: StreamSettings = StreamSettings()
    recordings: RecordingSettings = RecordingSettings()
