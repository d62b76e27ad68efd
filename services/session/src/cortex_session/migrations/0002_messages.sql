-- What was said in a session? See read_models/messages.py.

CREATE TABLE messages (
    project_id uuid NOT NULL,
    session_id uuid NOT NULL,
    message_id uuid PRIMARY KEY,
    type bigint NOT NULL,
    participant_id uuid NOT NULL,
    external_user_id text NOT NULL,
    sender_name text NOT NULL,
    content text NOT NULL,
    said_at timestamptz NOT NULL,
    start_offset interval NOT NULL,
    end_offset interval NOT NULL,
    peer_id text NOT NULL,
    claim bigint NOT NULL,
    confidence double precision NOT NULL,
    language text NOT NULL,
    model text NOT NULL,
    utterance_id text NOT NULL,
    position bigint NOT NULL
);

-- Pages in speaking order, and what a watcher has not seen yet.
CREATE INDEX messages_as_spoken ON messages (session_id, said_at, message_id);
CREATE INDEX messages_as_stored ON messages (session_id, position);

SELECT cortex_guard_read_model('messages');
