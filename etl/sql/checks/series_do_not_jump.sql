-- stage: mart
-- severity: warning
-- A series does not change more than tenfold between neighbouring periods.
WITH neighbours AS (
    SELECT
        claim_id, metric_id, entity_id, period, value, series,
        lag(value) OVER line AS earlier_value,
        lag(period) OVER line AS earlier_period
    FROM observation_figure
    WHERE dimension IN ('count', 'money', 'share', 'rate') AND NOT is_repeat AND is_whole_year
    WINDOW line AS (
        PARTITION BY dataset, metric_id, entity_id, segment, population, series, unit_id, publisher, bound ORDER BY period, published, claim_id
    )
)

SELECT claim_id, metric_id, entity_id, earlier_period, earlier_value, period, value
FROM neighbours
WHERE value > 0 AND earlier_value > 0 AND greatest(value / earlier_value, earlier_value / value) > 10
