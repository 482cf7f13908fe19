-- stage: mart
-- severity: blocking
-- A figure for a year later than the newest source is a forecast or an estimate.
SELECT claim_id, metric_id, period, published, status
FROM observation_figure
WHERE year > (SELECT max(CAST(left(published, 4) AS BIGINT)) FROM source) AND status NOT IN ('forecast', 'estimate')
