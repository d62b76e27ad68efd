"""Render the demo's meeting: three speakers in three voices, and the script with exact times.

Needs `flite` and `festival` (Debian: `apt-get install flite festival festvox-us-slt-hts`) only here: what they render
is committed.
    .venv/bin/python scripts/render_demo.py [FOLDER]
"""

import json
import subprocess
import sys
import tempfile
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soxr

FOLDER = Path(__file__).resolve().parent.parent / "libs/client/src/cortex_client/demo"
TITLE = "The harvest supper"

FESTIVAL = ("text2wave", "-eval", "(voice_cmu_us_slt_arctic_hts)")
RMS = ("flite", "-voice", "rms", "--setf", "duration_stretch=1.15")
AWB = ("flite", "-voice", "awb")

# user id: name, voice, sample rate of their client
SPEAKERS = {
    "anna": ("Anna", FESTIVAL, 48_000),
    "robert": ("Robert", RMS, 16_000),
    "callum": ("Callum", AWB, 16_000),
}

# Who, how many milliseconds after the previous line ended (before it, when negative), what.
LINES = (
    ("anna", 600, "Good morning everyone. Can all of you hear me?"),
    ("robert", 500, "Good morning. Yes, I can hear you very well."),
    ("callum", -700, "Good morning, I can hear you as well."),
    ("anna", 600, "Thank you. We want to talk about the harvest supper, which is on Saturday."),
    ("robert", 700, "The tables are ready. We have forty chairs and ten long tables."),
    ("callum", 400, "I think we need more chairs than that."),
    ("robert", -600, "My brother has some more in his garden."),
    ("anna", 700, "That is good news. What about the food?"),
    ("callum", 500, "The bakery gives us bread, and the farmers bring apples and potatoes."),
    ("robert", 600, "My sister will make a big pot of soup in the morning."),
    ("anna", -800, "Wonderful. People loved it last year."),
    ("callum", 700, "We still have to find the people who will play the music."),
    ("anna", 500, "I will ask at the school this afternoon."),
    ("robert", 600, "Then we have a plan. I will see you on Friday evening."),
    ("callum", -400, "Thank you, and have a nice day."),
)

RATE = 16_000
LOUDNESS = 3_000  # root mean square of each line, of 32,768: -21 dBFS, as in a call
AUDIBLE = 100  # a line begins and ends with the samples that are louder than this: -50 dBFS
BIT_RATE = 40_000  # Opus: about 100 KB for each speaker
TAIL_S = 1


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    tracks, lines = lay_out()
    for user_id, (_, _, rate) in SPEAKERS.items():
        pcm = tracks[user_id] if rate == RATE else soxr.resample(tracks[user_id], RATE, rate)
        encode(folder / f"{user_id}.opus", pcm, rate)
    speakers = [
        {"user_id": user_id, "name": name, "sample_rate": rate, "audio": f"{user_id}.opus"}
        for user_id, (name, _, rate) in SPEAKERS.items()
    ]
    script = {"title": TITLE, "speakers": speakers, "lines": lines}
    (folder / "meeting.json").write_text(json.dumps(script, indent=2) + "\n")


def lay_out():
    """Each speaker's audio over the whole meeting at 16 kHz, and the lines with their times."""
    placed, lines, end_ms = [], [], 0
    for user_id, gap_ms, text in LINES:
        audio = spoken(SPEAKERS[user_id][1], text)
        start_ms = end_ms + gap_ms
        end_ms = start_ms + len(audio) * 1_000 // RATE
        placed.append((user_id, start_ms * RATE // 1_000, audio))
        lines.append({"user_id": user_id, "text": text, "starts_ms": start_ms, "ends_ms": end_ms})
    length = max(start + len(audio) for _, start, audio in placed) + TAIL_S * RATE
    tracks = {user_id: np.zeros(length, dtype=np.int16) for user_id in SPEAKERS}
    for user_id, start, audio in placed:
        tracks[user_id][start : start + len(audio)] = audio
    return tracks, lines


def spoken(voice, text):
    """A line from its first to its last audible sample, a whole number of milliseconds long."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "line.wav"
        said = Path(scratch) / "line.txt"
        said.write_text(text)
        take = ["-f", said] if voice[0] == "flite" else [said]
        subprocess.run([*voice, "-o", path, *take], check=True)
        with wave.open(str(path)) as line:
            rate, pcm = line.getframerate(), np.frombuffer(line.readframes(line.getnframes()), dtype="<i2")
    audio = soxr.resample(pcm.astype(np.float32), rate, RATE)
    audio *= LOUDNESS / np.sqrt(np.mean(audio[np.abs(audio) > AUDIBLE] ** 2))
    audible = np.flatnonzero(np.abs(audio) > AUDIBLE)
    audio = audio[audible[0] : audible[-1] + 1]
    audio = audio[: len(audio) // (RATE // 1_000) * (RATE // 1_000)]
    return np.clip(np.rint(audio), -32_768, 32_767).astype(np.int16)


def encode(path, pcm, rate):
    """Write Ogg Opus."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate, layout="mono", options={"application": "audio"})
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
