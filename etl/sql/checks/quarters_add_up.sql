-- stage: mart
-- severity: warning
-- The four quarters of a year add up to what the same source prints for the year, within rounding.
WITH quarters AS (
    SELECT metric_id, entity_id, source_id, year, segment, population, unit_id, sum(value) AS total, any_value(claim_id) AS claim_id
    FROM observation_figure
    WHERE regexp_full_match(period, '\d{4}-Q[1-4]') AND NOT is_repeat
    GROUP BY ALL
    HAVING count(DISTINCT period) = 4 AND count(*) = 4
)

SELECT whole.claim_id, whole.metric_id, whole.year, whole.value, round(quarters.total, 4) AS quarters_total
FROM quarters
JOIN observation_figure AS whole
    ON whole.metric_id = quarters.metric_id
    AND whole.entity_id = quarters.entity_id
    AND whole.source_id = quarters.source_id
    AND whole.year = quarters.year
    AND whole.is_whole_year
    AND whole.segment IS NOT DISTINCT FROM quarters.segment
    AND whole.population IS NOT DISTINCT FROM quarters.population
WHERE abs(whole.value - quarters.total) > 0.01 * whole.value
