-- stage: mart
-- severity: blocking
-- A figure that was converted from another currency lies in the range that its metric declares plausible.
SELECT figure.claim_id, figure.metric_id, figure.value, figure.unit_id, figure.rate_used, figure.harmonised_value
FROM observation_figure AS figure
JOIN metric USING (metric_id)
WHERE figure.rate_used IS NOT NULL
    AND figure.harmonised_value NOT BETWEEN metric.plausible_min AND metric.plausible_max
