-- stage: package
-- severity: blocking
-- A source gives one value for one metric, entity, period, segment, population and series.
SELECT dataset, _row, 'value', 'the same figure as ' || first_claim || ' (metric, entity, period, segment, population, series, source); say what differs, or take it out'
FROM (
    SELECT *, first_value(claim_id) OVER alike AS first_claim, count(*) OVER alike AS alike_rows
    FROM observation
    WHERE repeats_claim_id IS NULL
    WINDOW alike AS (
        PARTITION BY dataset, metric_id, entity_id, period, segment, population, series, unit_id, source_id, basis, bound, value
    )
)
WHERE alike_rows > 1 AND claim_id <> first_claim
