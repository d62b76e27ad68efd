-- Which stream carries which speaker, and when was it last seen? See adapters/postgres_presence.py. Not derived from
-- events, and not needed for correctness: without it a sweep dates a speaker's leaving by its last utterance.

CREATE TABLE carried_speakers (
    speaker_id uuid PRIMARY KEY,
    holder text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    last_frame_at timestamptz NOT NULL
);

SELECT cortex_internal_table('carried_speakers');
