-- The event store of one service. `stored_events` is the table of the eventsourcing library's application recorder, column
-- by column, so that the library's tools read it; nothing writes to it but cortex_append.

CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text,
    state bytea,
    notification_id bigserial,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    -- Rows are only ever added: statistics matter, dead rows hardly.
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);

CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);

-- What makes a repeat of a request recognisable, and what it answers with. Kept for days, see cortex_purge_requests.
CREATE TABLE requests (
    project_id text NOT NULL,
    method text NOT NULL,
    request_id uuid NOT NULL,
    body_hash bytea NOT NULL,
    "position" bigint NOT NULL,
    resource_id text NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, method, request_id)
);

-- Rows come in the order of time, so a block range index finds old ones and costs an insert nothing.
CREATE INDEX requests_recorded_at ON requests USING brin (recorded_at);

-- Values from outside that one owner in a project holds. The key is a keyed hash: the table tells nobody the value.
CREATE TABLE claims (
    project_id text NOT NULL,
    kind text NOT NULL,
    key bytea NOT NULL,
    owner text NOT NULL,
    PRIMARY KEY (project_id, kind, key)
);

SELECT cortex_internal_table('stored_events'), cortex_internal_table('requests'), cortex_internal_table('claims');

-- Store each command's events, request row and claims, or say why not; one row for each command, in no order.
--
-- c_*: the commands, numbered from 1 by their place. c_last is the version after the command's last event, null when it
-- has none; c_method is null where a repeat is not recognised.
-- e_*: their events. e_command is the command's number; events of one command stand in order.
-- k_*: the claims to take (k_take) or release.
--
-- The table lock comes first. All that follows sees every earlier commit, so checking and then inserting is exact, and
-- positions are given out in the order of commits: a reader that goes on from the highest position misses nothing.
-- The caller sees to it that no two commands of one call have the same aggregate, request or claim key.
CREATE FUNCTION cortex_append(
    c_project text[], c_aggregate uuid[], c_expected bigint[], c_last bigint[], c_resource text[],
    c_method text[], c_request uuid[], c_hash bytea[],
    e_command int[], e_aggregate uuid[], e_version bigint[], e_topic text[], e_state bytea[],
    k_command int[], k_take boolean[], k_kind text[], k_key bytea[], k_owner text[]
) RETURNS TABLE (
    command int, outcome text, at_position bigint, resource text, at_version bigint, taken_kind text, taken_by text
)
LANGUAGE plpgsql
-- The writer may append through this function alone; it can neither change nor delete an event.
SECURITY DEFINER SET search_path FROM CURRENT
-- Plans are kept for the life of a connection. One made while the tables were small would read them whole when they have
-- grown, until statistics come; every look-up here is one by an index, however large or small the tables are.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    head bigint;
    settled int[] := '{}';
BEGIN
    LOCK TABLE stored_events IN EXCLUSIVE MODE;
    SELECT coalesce(max(notification_id), 0) INTO head FROM stored_events;

    FOR command, outcome, at_position, resource, at_version IN
        SELECT c.n, CASE WHEN r.body_hash = c.hash THEN 'repeated' ELSE 'request_id_reused' END,
               r."position", r.resource_id, r.version
        FROM unnest(c_project, c_method, c_request, c_hash) WITH ORDINALITY AS c (project, method, request, hash, n)
        JOIN requests r ON (r.project_id, r.method, r.request_id) = (c.project, c.method, c.request)
    LOOP
        settled := settled || command;
        RETURN NEXT;
    END LOOP;
    at_position := 0; resource := ''; at_version := 0;

    -- The unique key alone would take version 5 after version 1, so the predecessor is looked for as well. (Joins, as the
    -- planner may answer an EXISTS behind an OR with a hash of the whole table.)
    FOR command IN
        SELECT c.n
        FROM unnest(c_aggregate, c_expected) WITH ORDINALITY AS c (aggregate, expected, n)
        LEFT JOIN stored_events following
            ON following.originator_id = c.aggregate AND following.originator_version = c.expected + 1
        LEFT JOIN stored_events latest
            ON latest.originator_id = c.aggregate AND latest.originator_version = c.expected
        WHERE c.n <> ALL (settled)
          AND (following.originator_id IS NOT NULL OR (c.expected > 0 AND latest.originator_id IS NULL))
    LOOP
        settled := settled || command;
        outcome := 'version_conflict';
        RETURN NEXT;
    END LOOP;

    IF cardinality(k_command) > 0 THEN
        -- What the same owner holds, and what the command itself releases, is free to take.
        FOR command, taken_kind, taken_by IN
            SELECT DISTINCT ON (k.command) k.command, k.kind, held.owner
            FROM unnest(k_command, k_take, k_kind, k_key, k_owner) AS k (command, take, kind, key, owner)
            JOIN claims held ON (held.project_id, held.kind, held.key) = (c_project[k.command], k.kind, k.key)
            WHERE k.take AND held.owner <> k.owner AND k.command <> ALL (settled)
              AND NOT EXISTS (
                  SELECT FROM unnest(k_command, k_take, k_kind, k_key, k_owner) AS own (command, take, kind, key, owner)
                  WHERE (own.command, own.kind, own.key, own.owner) = (k.command, k.kind, k.key, held.owner)
                    AND NOT own.take)
        LOOP
            settled := settled || command;
            outcome := 'claim_taken';
            RETURN NEXT;
        END LOOP;
        taken_kind := NULL; taken_by := NULL;

        DELETE FROM claims held
        USING unnest(k_command, k_take, k_kind, k_key, k_owner) AS k (command, take, kind, key, owner)
        WHERE NOT k.take AND k.command <> ALL (settled)
          AND (held.project_id, held.kind, held.key, held.owner) = (c_project[k.command], k.kind, k.key, k.owner);

        INSERT INTO claims (project_id, kind, key, owner)
        SELECT c_project[k.command], k.kind, k.key, k.owner
        FROM unnest(k_command, k_take, k_kind, k_key, k_owner) AS k (command, take, kind, key, owner)
        WHERE k.take AND k.command <> ALL (settled)
        ON CONFLICT DO NOTHING;
    END IF;

    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT e.aggregate, e.version, e.topic, e.state
    FROM unnest(e_command, e_aggregate, e_version, e_topic, e_state)
        WITH ORDINALITY AS e (command, aggregate, version, topic, state, n)
    WHERE e.command <> ALL (settled)
    ORDER BY e.n;

    RETURN QUERY
    WITH stored AS (
        SELECT c.n::int AS n, c.project, c.method, c.request, c.hash, c.resource,
               coalesce(s.notification_id, head) AS "position", coalesce(s.originator_version, 0) AS version
        FROM unnest(c_project, c_aggregate, c_last, c_resource, c_method, c_request, c_hash)
            WITH ORDINALITY AS c (project, aggregate, last, resource, method, request, hash, n)
        LEFT JOIN stored_events s ON (s.originator_id, s.originator_version) = (c.aggregate, c.last)
        WHERE c.n <> ALL (settled)
    ), noted AS (
        INSERT INTO requests (project_id, method, request_id, body_hash, "position", resource_id, version)
        SELECT s.project, s.method, s.request, s.hash, s."position", s.resource, s.version
        FROM stored s WHERE s.method IS NOT NULL
    )
    SELECT s.n, 'stored', s."position", s.resource, s.version, NULL::text, NULL::text FROM stored s;

    IF cardinality(e_command) > 0 THEN
        NOTIFY stored_events;
    END IF;
END
$$;

-- Put other claims in the place of all there are, unless something was appended since `at_position`. Says whether it did.
CREATE FUNCTION cortex_replace_claims(
    at_position bigint, k_project text[], k_kind text[], k_key bytea[], k_owner text[]
) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    LOCK TABLE stored_events IN EXCLUSIVE MODE;
    IF at_position <> (SELECT coalesce(max(notification_id), 0) FROM stored_events) THEN
        RETURN false;
    END IF;
    DELETE FROM claims;
    INSERT INTO claims (project_id, kind, key, owner) SELECT * FROM unnest(k_project, k_kind, k_key, k_owner);
    RETURN true;
END
$$;

-- Forget requests recorded before a time. Says how many.
CREATE FUNCTION cortex_purge_requests(before timestamptz) RETURNS bigint
LANGUAGE sql
SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    WITH gone AS (DELETE FROM requests WHERE recorded_at < before RETURNING 1) SELECT count(*) FROM gone
$$;

DO $$
DECLARE
    writer text := current_setting('cortex.writer_role');
BEGIN
    EXECUTE format('REVOKE ALL ON stored_events, requests, claims FROM %I', writer);
    EXECUTE format('REVOKE ALL ON SEQUENCE stored_events_notification_id_seq FROM %I', writer);
    EXECUTE format('GRANT SELECT ON stored_events, requests, claims TO %I', writer);
END
$$;
