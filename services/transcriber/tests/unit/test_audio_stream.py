"""A stream from the bot's first message to the last answer."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex_eventing.errors import InvalidInput, LimitReached, NotFound, Unavailable, WrongState
from cortex_eventing.times import length_of, stamp, time_of
from cortex_testkit.waiting import eventually
from cortex_transcriber.adapters.scripted_recogniser import frames_heard
from cortex_transcriber.domain.commands import Absence, HearUtterance, SpeakerKey
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.limits import Limits
from cortex_transcriber.stream.metrics import EARLY, UNRECOGNISED
from cortex_transcriber.stream.open_streams import OpenStreams
from cortex_transcriber.stream.ports import Unrecognisable
from google.rpc import code_pb2

from services.transcriber.tests.streaming import (
    ANOTHER,
    FRAME_MS,
    PEER_ZERO,
    SESSION,
    SESSION_ZERO,
    Stage,
    payloads,
    talk,
)

pytestmark = pytest.mark.unit

SPELLS = ((60, 60), (100, 150), (40, 40), (200, 60))
TALK = payloads(talk(7, *SPELLS))

TURNS_OF_THE_LOOP = 200
"""Many more than a stream takes from its end to the first goodbye."""


SECOND = 1_000 // FRAME_MS


def silence(seconds: int) -> list[bytes]:
    """Frames in which nobody speaks."""
    return [bytes(len(TALK[0]))] * (seconds * SECOND)


def fate(of: str) -> float:
    """How many early recognitions ended so."""
    return EARLY.labels(of)._value.get()


@pytest.fixture
def stage() -> Stage:
    """One replica."""
    return Stage()


class WhenSomebodySpeaks:
    async def test_finals_come_stored_attributed_and_in_order(self, stage: Stage) -> None:
        """Each spell of speech becomes one stored utterance with the words that were said in it."""
        async with stage.bot() as bot:
            bot.join()
            resolved = (await bot.until("peer_resolved"))[0].peer_resolved
            assert (resolved.participant_id, resolved.resume_from) == ("participant of ada", 0)
            bot.hear(TALK)
            bot.say(end=pb.End())
            await bot.closed()
        assert [answer.final.text for answer in bot.of("final")] == stage.speakers.texts
        assert len(stage.speakers.texts) == len(SPELLS)
        spoken = {
            frame for start, (loud, _) in zip(starts(), SPELLS, strict=True) for frame in range(start, start + loud)
        }
        heard = [frame for _, frame in frames_heard(stage.speakers.texts)]
        assert spoken <= set(heard)
        assert len(heard) == len(set(heard))
        assert bot.acknowledged == len(TALK) - 1

    async def test_words_are_looked_for_in_the_pause_that_ends_them(self, stage: Stage) -> None:
        """Before the endpoint; what was begun is the final's then, and is the same text."""
        used = fate("used")
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:84])
            await eventually(lambda: stage.recognition.begun_early)
            assert not bot.of("final")
            bot.hear(TALK[84:120], first=84)
            final = (await bot.until("final"))[0].final
        assert stage.recognition.begun_early == [(final.first_sequence, final.last_sequence)]
        assert (stage.recognition.taken_early, fate("used")) == (1, used + 1)
        assert set(range(60)) <= {frame for _, frame in frames_heard([final.text])}

    async def test_who_goes_on_after_a_pause_is_heard_whole(self, stage: Stage) -> None:
        """What was begun in the pause was in vain."""
        vain = fate("vain")
        spoken = payloads(talk(7, (60, 20), (60, 60)))
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(spoken[:79])
            await eventually(lambda: stage.recognition.begun_early)
            bot.hear(spoken[79:], first=79)
            final = (await bot.until("final"))[0].final
        assert fate("vain") == vain + 1
        assert set(range(60)) | set(range(80, 140)) <= {frame for _, frame in frames_heard([final.text])}

    async def test_times_derive_from_sequence_numbers(self, stage: Stage) -> None:
        """A final says where it lies in the session, whenever it was sent."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK)
            final = (await bot.until("final"))[0].final
        offset = PEER_ZERO - SESSION_ZERO + timedelta(milliseconds=FRAME_MS) * final.first_sequence
        assert final.start_offset.ToTimedelta() == offset

    async def test_words_are_placed_where_they_were_said(self, stage: Stage) -> None:
        """In the event and in the final alike; behind lost frames, too."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:20])
            bot.hear(TALK[25:], first=25)
            bot.say(end=pb.End())
            await bot.closed()
        stored = [event for event in stage.speakers.events if isinstance(event, UtteranceTranscribed)]
        words = [word for event in stored for word in event.words.words]
        assert len(words) == len(stored) + 1
        for word in words:
            ((_, first), *_) = frames_heard([word.text])
            assert length_of(word.start_offset) == offset_of(first)
        assert [list(answer.final.words) for answer in bot.of("final")] == [list(event.words.words) for event in stored]

    async def test_words_of_what_is_left_of_an_utterance_keep_their_place(self, stage: Stage) -> None:
        """Another stream stored its beginning meanwhile: the rest is heard, and placed, by itself."""
        hold = stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:120])
            await stage.heard(120)
            speaker = SpeakerKey(SESSION, "peer-1")
            theirs = HearUtterance(speaker, 0, 30, True, SESSION_ZERO, SESSION_ZERO, "7:0-30", 1.0, "en", "scripted")
            await stage.speakers.handle(theirs, stage.speakers.origin)
            hold.set()
            final = (await bot.until("final"))[0].final
        assert final.first_sequence == 31
        assert final.text.startswith("7:31-")
        assert [(word.text, length_of(word.start_offset)) for word in final.words] == [(final.text, offset_of(31))]

    async def test_when_it_was_heard_is_told_by_our_clock(self, stage: Stage) -> None:
        """Each utterance carries when its first frame came in, however late its words are there."""
        clock = [SESSION_ZERO]
        stage.now = lambda: clock[0]
        hold = stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:110])
            await stage.heard(110)
            clock[0] += timedelta(seconds=5)
            bot.hear(TALK[110:], first=110)
            await stage.heard(len(TALK))
            clock[0] += timedelta(seconds=5)
            hold.set()
            bot.say(end=pb.End())
            await bot.closed()
        stored = [event for event in stage.speakers.events if isinstance(event, UtteranceTranscribed)]
        assert [time_of(event.heard_at) - SESSION_ZERO for event in stored] == [
            timedelta(0),
            *[timedelta(seconds=5)] * (len(SPELLS) - 1),
        ]

    async def test_nothing_is_acknowledged_before_what_came_before_it(self, stage: Stage) -> None:
        """Recognition may overtake; storing and acknowledging do not."""
        hold = stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK)
            await stage.heard(len(TALK))
            assert bot.acknowledged == -1
            assert stage.speakers.texts == []
            hold.set()
            finals = await bot.until("final", len(SPELLS) - 1)
        firsts = [answer.final.first_sequence for answer in finals]
        assert firsts == sorted(firsts)
        order = [answer.WhichOneof("message") for answer in bot.answers]
        assert order.index("final") < order.index("acknowledged")

    async def test_interim_texts_go_to_the_live_subject_and_back_if_asked(self, stage: Stage) -> None:
        """Whoever listens sees words while they are spoken; they are stored nowhere."""
        async with stage.bot(include_interim=True) as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:200])
            interim = (await bot.until("interim"))[0].interim
        said = stage.live.said[0]
        assert interim.text.startswith("7:")
        assert (said.participant_id, said.peer_id) == ("participant of ada", "peer-1")
        assert said.start_offset == interim.start_offset

    async def test_the_stable_part_of_interim_texts_stays(self, stage: Stage) -> None:
        """Each text of an utterance begins with what was stable before it; the next utterance begins anew."""
        stage.recognition.hypotheses = ["so the fox.", "So the box jumps.", "And the box jumped over", "another"]
        spoken = payloads(talk(7, (180, 60), (60, 1)))
        async with stage.bot(include_interim=True) as bot:
            bot.join()
            await bot.until("peer_resolved")
            for number, (first, end) in enumerate([(0, 60), (60, 120), (120, 180), (180, 300)], start=1):
                bot.hear(spoken[first:end], first=first)
                await bot.until("interim", number)
        told = [(answer.interim.text, answer.interim.stable_length) for answer in bot.of("interim")]
        assert told == [
            ("so the fox.", 0),
            ("So the box jumps.", len("So the")),
            ("So the box jumped over", len("So the box")),
            ("another", 0),
        ]
        assert [(said.text, said.stable_length) for said in stage.live.said] == told

    async def test_a_peer_that_leaves_is_heard_out(self, stage: Stage) -> None:
        """What it said last is stored before the goodbye, which is dated by its last frame; the stream goes on."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            bot.say(peer_left=pb.PeerLeft(peer=1))
            await bot.until("acknowledged")
            bot.join(peer_id="peer-2")
            await bot.until("peer_resolved", 2)
        assert stage.speakers.kinds == ["SpeakerJoined", "UtteranceTranscribed", "SpeakerLeft", "SpeakerJoined"]
        assert stage.speakers.events[2].left_at == stamp(PEER_ZERO + timedelta(milliseconds=FRAME_MS * 40))
        assert bot.acknowledged == 39

    async def test_the_end_may_follow_while_it_is_stored(self, stage: Stage) -> None:
        """A peer that left and was heard out is not heard out again when the stream ends before its words are there."""
        hold = stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            bot.say(peer_left=pb.PeerLeft(peer=1))
            await eventually(lambda: not stage.hearing._attended)
            bot.say(end=pb.End())
            await eventually(lambda: bot.unread == 0)
            hold.set()
            await bot.closed()
        assert stage.speakers.kinds == ["SpeakerJoined", "UtteranceTranscribed", "SpeakerLeft"]


class WhenNobodySpeaks:
    async def test_silence_is_acknowledged_now_and_then(self, stage: Stage) -> None:
        """Each 6 s, the third point of rest, and to its last frame once the stream ends."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            for second in range(21):
                bot.hear(silence(seconds=1), first=second * SECOND)
                await stage.heard((second + 1) * SECOND)
            bot.say(end=pb.End())
            await bot.closed()
        told = [answer.acknowledged.through_sequence for answer in bot.of("acknowledged")]
        assert told == [6 * SECOND - 1, 12 * SECOND - 1, 18 * SECOND - 1, 21 * SECOND - 1]

    async def test_silence_is_acknowledged_with_an_utterance(self, stage: Stage) -> None:
        """Nothing is held back that could be told anyway; what follows is counted from there."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            spoken = [*silence(seconds=4), *payloads(talk(1, (60, 60)))]
            bot.hear(spoken)
            await bot.until("acknowledged")
            bot.hear(silence(seconds=4), first=len(spoken))
            await stage.heard(len(spoken) + 4 * SECOND)
            told = bot.acknowledged
            bot.say(end=pb.End())
            await bot.closed()
        assert told == bot.of("final")[0].final.last_sequence
        assert bot.acknowledged == len(spoken) + 4 * SECOND - 1

    async def test_all_silence_is_acknowledged_before_the_process_stops(self, stage: Stage) -> None:
        """Up to the last point of rest that is behind it: the bot need not send that again."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(silence(seconds=5))
            await stage.heard(5 * SECOND)
            assert bot.acknowledged == -1
            bot.stream.drain(SESSION_ZERO)
            await bot.closed()
        assert bot.acknowledged == 2 * SECOND - 1


class WhenNobodyHearsTheLanguage:
    async def test_the_stream_is_refused_before_it_opens(self, stage: Stage) -> None:
        """Nothing is answered, and no peer joins."""
        async with stage.bot(language="fr") as bot:
            bot.join()
            with pytest.raises(WrongState) as refused:
                await bot.closed()
        assert (refused.value.reason, refused.value.field) == ("LANGUAGE_NOT_HEARD", "open.session_id")
        assert bot.answers == []
        assert stage.speakers.kinds == []

    async def test_a_dialect_is_heard_with_its_language(self, stage: Stage) -> None:
        """The stream opens as usual."""
        async with stage.bot(language="en-GB") as bot:
            await bot.until("opened")


class WhenNothingComesAnyMore:
    async def test_a_pause_that_nobody_announces_ends_an_utterance(self, stage: Stage) -> None:
        """Voice servers send nothing while nobody speaks; the text does not wait for the next word."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            await stage.heard(40)
            stage.hearing.end_speech_of_silent(since=asyncio.get_running_loop().time() - 1)
            assert not stage.speakers.texts
            stage.hearing.end_speech_of_silent(since=asyncio.get_running_loop().time() + 1)
            await bot.until("final")
            bot.hear(TALK[120:], first=220)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts[0] == "7:0-39"
        assert len(stage.speakers.texts) == len(SPELLS)

    async def test_an_announced_pause_ends_it_as_well(self, stage: Stage) -> None:
        """Silence that was not sent is silence all the same."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            bot.say(frames=pb.Frames(peer=1, first_sequence=40, silent_through=3_000))
            await bot.until("final")
            await bot.when(lambda: bot.acknowledged > 2_500)


class WhenTheConnectionBreaks:
    @pytest.mark.parametrize("cut", range(25, 700, 75))
    async def test_every_frame_is_heard_once_and_the_texts_are_the_same(self, stage: Stage, cut: int) -> None:
        """Wherever it breaks, another replica goes on from the watermark as if nothing had happened."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:cut])
            await stage.heard(cut)
            watermark = bot.acknowledged + 1
        other = stage.replica()
        async with other.bot() as bot:
            bot.join(resume_from=watermark)
            resolved = (await bot.until("peer_resolved"))[0].peer_resolved
            assert resolved.resume_from >= watermark
            bot.hear(TALK[resolved.resume_from :], first=resolved.resume_from)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == await uninterrupted()
        assert stage.speakers.kinds.count("SpeakerJoined") == 1

    async def test_long_speech_without_a_pause_is_cut_alike(self, stage: Stage) -> None:
        """A piece of speech that goes on settles nothing: the restart begins before it and finds the same cuts."""
        stage.segmenting = Segmenting(max_utterance_ms=4_000)
        speech = payloads(talk(9, (600, 60)))
        whole = Stage(segmenting=stage.segmenting)
        async with whole.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(speech)
            bot.half_close()
            await bot.closed()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(speech[:330])
            await bot.until("final")
            assert bot.acknowledged == -1
        async with stage.replica().bot() as bot:
            bot.join()
            assert (await bot.until("peer_resolved"))[0].peer_resolved.resume_from == 0
            bot.hear(speech)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == whole.speakers.texts
        assert len(whole.speakers.texts) > 2

    async def test_the_end_of_its_messages_alone_is_no_goodbye(self, stage: Stage) -> None:
        """A broken connection ends them like a half-close, and is known as broken only moments later."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            await stage.heard(40)
            bot.half_close()
            for _ in range(TURNS_OF_THE_LOOP):
                await asyncio.sleep(0)
            assert not any(place.leaving for place in stage.open_streams._places.values())
        assert stage.speakers.kinds == ["SpeakerJoined"]

    async def test_the_peers_stay(self, stage: Stage) -> None:
        """A broken stream says nothing about who is in the room."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
        assert stage.speakers.kinds == ["SpeakerJoined"]

    async def test_back_late_is_another_attendance(self, stage: Stage) -> None:
        """After a minute the peer had left, also if no sweep was there to say so."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
        stage.presence.absence = Absence(timedelta(minutes=2), PEER_ZERO + timedelta(seconds=5))
        async with stage.bot() as bot:
            bot.join(resume_from=6_000)
            await bot.until("peer_resolved")
        assert stage.speakers.kinds == ["SpeakerJoined", "SpeakerLeft", "SpeakerJoined"]


class WhenTwoStreamsClaimAPeer:
    async def test_the_newer_one_wins_and_the_older_one_is_told(self, stage: Stage) -> None:
        """Each frame is heard by one of them."""
        async with stage.bot() as older, stage.bot() as newer:
            older.join()
            await older.until("peer_resolved")
            newer.join(peer=5)
            await newer.until("peer_resolved")
            refused = (await older.until("peer_refused"))[0].peer_refused
            older.hear(TALK[:5])
            newer.hear(TALK, peer=5)
            newer.say(end=pb.End())
            await newer.closed()
            unknown = (await older.until("peer_refused", 2))[1].peer_refused
        assert (refused.peer, refused.removed) == (1, True)
        assert "newer stream" in refused.status.message
        assert unknown.removed
        assert stage.speakers.texts == await uninterrupted()


class WhenItGetsTooMuch:
    async def test_the_stream_is_not_read_while_too_many_utterances_wait(self, stage: Stage) -> None:
        """Memory is bounded by not reading; everything is heard in the end."""
        speech = payloads(talk(3, *[(40, 60)] * 40))
        hold = stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(speech, at_once=50)
            await stage.hearing.until(lambda: bot.unread < 40 and not stage.hearing._ready)
            assert bot.unread > 0
            hold.set()
            bot.say(end=pb.End())
            await bot.closed()
        assert len(stage.speakers.texts) == 40

    async def test_what_cannot_have_been_spoken_just_now_waits_for_those_who_speak(self, stage: Stage) -> None:
        """After the first 20 s of it: no interims, nothing begun early, and the words are the same."""
        spells = [(200, 60)] * 12
        async with stage.bot(include_interim=True) as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(payloads(talk(3, *spells)), at_once=50)
            bot.say(end=pb.End())
            await bot.closed()
        now = len(stage.speakers.texts) - stage.recognition.recorded_ones
        assert 4 <= now <= 6
        assert len(stage.recognition.begun_early) <= now
        whole = Stage()
        clock = itertools.count()
        whole.now = lambda: SESSION_ZERO + timedelta(minutes=next(clock))
        async with whole.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(payloads(talk(3, *spells)), at_once=50)
            bot.say(end=pb.End())
            await bot.closed()
        assert whole.recognition.recorded_ones == 0
        assert stage.speakers.texts == whole.speakers.texts

    async def test_a_peer_that_is_taken_away_meanwhile_stops_nobody(self, stage: Stage) -> None:
        """Its frames are dropped, and the stream goes on."""
        stage.recognition.held[0] = asyncio.Event()
        async with stage.bot() as bot, stage.bot() as newer:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(payloads(talk(3, *[(40, 60)] * 40)), at_once=50)
            await stage.hearing.until(lambda: 0 < bot.unread < 40 and not stage.hearing._ready)
            newer.join()
            await bot.until("peer_refused")
            bot.join(peer=2, peer_id="peer-2")
            await bot.until("peer_resolved", 2)

    async def test_a_full_stream_takes_no_more_peers(self, stage: Stage) -> None:
        """The bot is told when to try again."""
        stage.limits = Limits(max_peers=1)
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.join(peer=2, peer_id="peer-2")
            refused = (await bot.until("peer_refused"))[0].peer_refused
        assert refused.status.code == code_pb2.RESOURCE_EXHAUSTED
        assert refused.removed

    async def test_a_full_replica_takes_no_more_streams(self, stage: Stage) -> None:
        """Another replica may have a place."""
        stage.open_streams = OpenStreams(most=1)
        async with stage.bot():
            with pytest.raises(LimitReached):
                async with stage.bot():
                    pass

    async def test_a_project_leaves_room_for_others(self, stage: Stage) -> None:
        """One that has as many streams as it may is refused, while the replica still takes another's."""
        stage.open_streams = OpenStreams(most=10, most_of_project=1)
        async with stage.bot():
            with pytest.raises(LimitReached) as refused:
                async with stage.bot():
                    pass
            async with stage.bot(project_id=ANOTHER):
                assert len(stage.open_streams) == 2
        assert refused.value.reason == "PROJECT_FULL"


class WhenSomethingIsAway:
    async def test_a_peer_waits_for_identity_and_the_others_do_not(self, stage: Stage) -> None:
        """The bot holds the audio of whom nobody knows yet."""
        stage.identities.away = 3
        async with stage.bot() as bot:
            bot.join()
            bot.hear(TALK[:5])
            refused = (await bot.until("peer_refused"))[0].peer_refused
            await bot.until("peer_resolved")
        assert not refused.removed
        assert stage.identities.away == 0

    async def test_an_utterance_waits_for_the_store(self, stage: Stage) -> None:
        """It is stored once, late, and nothing is acknowledged before."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            stage.speakers.away = 3
            bot.hear(TALK)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == await uninterrupted()

    async def test_speech_that_the_model_failed_on_is_heard_elsewhere(self, stage: Stage) -> None:
        """The stream ends, nothing of it is acknowledged, and the next replica finds the same words."""
        second = starts()[1]
        stage.recognition.failing = {first: Unavailable("the model") for first in range(second - 10, len(TALK))}
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK)
            bot.say(end=pb.End())
            with pytest.raises(Unavailable):
                await bot.closed()
            watermark = bot.acknowledged + 1
        assert 0 < watermark <= second
        async with stage.replica().bot() as bot:
            bot.join(resume_from=watermark)
            await bot.until("peer_resolved")
            bot.hear(TALK[watermark:], first=watermark)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == await uninterrupted()


class WhenSomethingIsWrong:
    async def test_what_no_model_can_take_does_not_come_again_for_ever(self, stage: Stage) -> None:
        """It is given up, which is counted; what the peer says before and after it is stored and acknowledged."""
        given_up = UNRECOGNISED._value.get()
        whole = await uninterrupted()
        first = frames_heard(whole[1:2])[0][1]
        stage.recognition.failing[first] = Unrecognisable()
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == [whole[0], *whole[2:]]
        assert bot.acknowledged == len(TALK) - 1
        assert UNRECOGNISED._value.get() == given_up + 1

    @pytest.mark.parametrize(
        ("introduction", "field"),
        [
            ({"peer_id": ""}, "peer_joined.peer_id"),
            ({"peer_id": "x" * 257}, "peer_joined.peer_id"),
            ({"peer": 0}, "peer_joined.peer"),
            ({"rate": 22_050}, "peer_joined.format.sample_rate"),
            ({"resume_from": -1}, "peer_joined.resume_from"),
        ],
    )
    async def test_a_wrong_introduction_removes_that_peer_alone(
        self, stage: Stage, introduction: dict[str, object], field: str
    ) -> None:
        """The bot learns which field is wrong, and the next peer is welcome."""
        async with stage.bot() as bot:
            bot.join(**introduction)
            refused = (await bot.until("peer_refused"))[0].peer_refused
            assert refused.removed
            assert field in refused.status.details[0].value.decode(errors="replace")
            bot.join(peer=9)
            assert (await bot.until("peer_resolved"))[0].peer_resolved.peer == 9

    async def test_a_refusal_of_identity_removes_the_peer(self, stage: Stage) -> None:
        """Who may not be heard is not heard."""
        stage.identities.refusal = NotFound("session")
        async with stage.bot() as bot:
            bot.join()
            assert (await bot.until("peer_refused"))[0].peer_refused.removed

    async def test_bad_frames_cost_their_message_alone(self, stage: Stage) -> None:
        """The peer and the stream go on."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear([b"odd"])
            bot.hear([b""])
            bot.hear(TALK[:1], peer=77)
            bot.hear(TALK)
            bot.hear(TALK[:1], first=3)
            bot.say(end=pb.End())
            await bot.closed()
        refused = [answer.peer_refused for answer in bot.of("peer_refused")]
        assert [(each.peer, each.removed) for each in refused] == [(1, False), (1, False), (77, True)] or [
            (each.peer, each.removed) for each in refused
        ] == [(1, False), (1, False), (77, True), (1, False)]
        assert stage.speakers.texts == await uninterrupted()

    @pytest.mark.parametrize("message", [pb.StreamAudioRequest(), pb.StreamAudioRequest(open=pb.Open())])
    async def test_what_makes_no_sense_ends_the_stream(self, stage: Stage, message: pb.StreamAudioRequest) -> None:
        """A second opening, or nothing at all, is a mistake of the whole bot."""
        async with stage.bot() as bot:
            bot._requests.put_nowait(message)
            with pytest.raises(InvalidInput):
                await bot.closed()


class WhenItEnds:
    async def test_the_session_s_end_is_told_and_everybody_leaves(self, stage: Stage) -> None:
        """Speech begun before the end is finished, then the stream closes."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:40])
            await stage.heard(40)
            stage.open_streams.session_over(bot.stream.session_id, SESSION_ZERO + timedelta(minutes=1))
            await bot.closed()
        assert bot.of("session_over")[0].session_over.ended_at == stamp(SESSION_ZERO + timedelta(minutes=1))
        assert stage.speakers.kinds == ["SpeakerJoined", "UtteranceTranscribed", "SpeakerLeft"]

    async def test_a_drain_finishes_what_was_heard_to_its_end(self, stage: Stage) -> None:
        """Speech that goes on is left to the next replica, where it is cut as it would have been here."""
        async with stage.bot() as bot:
            bot.join()
            await bot.until("peer_resolved")
            bot.hear(TALK[:160])
            await bot.until("final")
            stage.open_streams.drain(SESSION_ZERO)
            await bot.closed()
            watermark = bot.acknowledged + 1
        assert bot.of("draining")
        assert "SpeakerLeft" not in stage.speakers.kinds
        async with stage.replica().bot() as bot:
            bot.join(resume_from=watermark)
            await bot.until("peer_resolved")
            bot.hear(TALK[watermark:], first=watermark)
            bot.say(end=pb.End())
            await bot.closed()
        assert stage.speakers.texts == await uninterrupted()


def offset_of(sequence: int) -> timedelta:
    """Where a frame begins, counted from the session's creation."""
    return PEER_ZERO - SESSION_ZERO + sequence * timedelta(milliseconds=FRAME_MS)


def starts() -> list[int]:
    """Where each spell of speech begins."""
    return [sum(loud + silent for loud, silent in SPELLS[:index]) for index in range(len(SPELLS))]


async def uninterrupted() -> list[str]:
    """The texts of one stream that nothing happened to."""
    stage = Stage()
    async with stage.bot() as bot:
        bot.join()
        await bot.until("peer_resolved")
        bot.hear(TALK)
        bot.say(end=pb.End())
        await bot.closed()
    return stage.speakers.texts
