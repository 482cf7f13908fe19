-- stage: mart
-- severity: warning
-- A figure for a year after the publication of its own source is a forecast or an estimate.
SELECT claim_id, metric_id, period, published, status
FROM observation_figure
WHERE year > CAST(left(published, 4) AS BIGINT) AND status NOT IN ('forecast', 'estimate')
