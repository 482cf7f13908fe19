-- stage: package
-- severity: blocking
-- A value lies within what its metric declares as plausible, which tells thousands from units and percent from fractions.
SELECT observation.dataset, observation._row, 'value',
    format('''{:.15g}'' {} is not between {:.15g} and {:.15g} {}, which is plausible for {}; is the unit right?',
        observation.value, printed.label, metric.plausible_min, metric.plausible_max, declared.label, metric_id)
FROM observation
JOIN metric USING (metric_id)
JOIN unit AS printed ON printed.unit_id = observation.unit_id
JOIN unit AS declared ON declared.unit_id = metric.unit_id
WHERE printed.dimension = declared.dimension
    AND printed.currency IS NOT DISTINCT FROM declared.currency
    AND NOT observation.value * printed.factor / declared.factor BETWEEN metric.plausible_min AND metric.plausible_max
