-- Who is in a room, as far as the events say? See read_models/open_speakers.py.

CREATE TABLE open_speakers (
    project_id uuid NOT NULL,
    speaker_id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    peer_id text NOT NULL,
    joined_at timestamptz NOT NULL,
    heard_until timestamptz NOT NULL,
    stored_at timestamptz NOT NULL
);

SELECT cortex_guard_read_model('open_speakers');
