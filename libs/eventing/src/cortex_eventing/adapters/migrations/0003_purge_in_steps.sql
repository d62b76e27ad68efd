-- A busy week leaves more requests than one statement may take the time for, so they are forgotten so many at once.

DROP FUNCTION cortex_purge_requests(timestamptz);

-- Forget requests recorded before a time, at most `most`. Says how many.
CREATE FUNCTION cortex_purge_requests(before timestamptz, most bigint) RETURNS bigint
LANGUAGE sql
SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    WITH gone AS (
        DELETE FROM requests WHERE ctid = ANY (ARRAY(SELECT ctid FROM requests WHERE recorded_at < before LIMIT most))
        RETURNING 1
    ) SELECT count(*) FROM gone
$$;
