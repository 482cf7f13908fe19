-- stage: mart
-- severity: blocking
-- A figure in another currency than its metric's can be converted at a known rate.
SELECT claim_id, metric_id, value, unit_id
FROM observation_figure
WHERE harmonised_value IS NULL AND dimension = 'money'
