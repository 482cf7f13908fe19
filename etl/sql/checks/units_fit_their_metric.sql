-- stage: package
-- severity: blocking
-- The unit of a figure measures the same kind of thing as the unit of its metric.
SELECT observation.dataset, list(observation._row ORDER BY observation._row), 'unit_id',
    format('''{}'' is a unit of {}, but {} is measured in {}, a unit of {}',
        observation.unit_id, printed.dimension, metric_id, metric.unit_id, declared.dimension)
FROM observation
JOIN metric USING (metric_id)
JOIN unit AS printed ON printed.unit_id = observation.unit_id
JOIN unit AS declared ON declared.unit_id = metric.unit_id
WHERE printed.dimension <> declared.dimension
GROUP BY observation.dataset, observation.unit_id, printed.dimension, metric_id, metric.unit_id, declared.dimension
