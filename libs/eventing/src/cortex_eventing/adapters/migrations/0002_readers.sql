-- How far each reader has come, and what it set aside. Readers are projections and reactions; a name is never reused.

CREATE TABLE cortex_checkpoints (
    reader text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    stream_sequence bigint NOT NULL DEFAULT 0
);

-- An event whose lane is parked. It holds no content: a replay reads the event from its store again.
CREATE TABLE cortex_parked_events (
    reader text NOT NULL,
    position bigint NOT NULL,
    resource text NOT NULL,
    resource_id text NOT NULL,
    topic text NOT NULL,
    why text NOT NULL,
    wanted_back boolean NOT NULL DEFAULT false,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reader, position)
);

CREATE INDEX cortex_parked_lanes ON cortex_parked_events (reader, resource, resource_id);

SELECT cortex_internal_table('cortex_checkpoints'), cortex_internal_table('cortex_parked_events');
