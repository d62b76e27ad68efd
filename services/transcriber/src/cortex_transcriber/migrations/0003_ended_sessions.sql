-- Which sessions ended a moment ago? Who was in their rooms and is on no stream cannot come back, so the sweep waits less
-- for them. See adapters/postgres_presence.py. Not needed for correctness: without it the sweep takes its usual time.

CREATE TABLE ended_sessions (
    session_id uuid PRIMARY KEY,
    noted_at timestamptz NOT NULL DEFAULT now()
);

SELECT cortex_internal_table('ended_sessions');
