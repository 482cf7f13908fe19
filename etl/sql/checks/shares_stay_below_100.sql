-- stage: mart
-- severity: blocking
-- A share of a whole is not above 100 percent; growth, effects and changes may be.
SELECT claim_id, metric_id, value
FROM observation_figure
WHERE unit_id = 'percent' AND value > 100
    AND NOT regexp_matches(metric_id, 'growth|effect|change')
