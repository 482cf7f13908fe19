-- What is known about a city: its place on the map and the latest figure of each metric, with age and source.
-- Grain: one city with at least one figure.
-- city: City
-- country: Country
-- metrics: Metrics
-- newest: Newest year
-- figures: Latest figures
SELECT
    entity.entity_id,
    entity.name AS city,
    entity.parent_id AS country_id,
    country.name AS country,
    city.latitude,
    city.longitude,
    city.admin1,
    city.population,
    count(DISTINCT figure.metric_id) AS metrics,
    max(figure.year) AS newest,
    list(
        {
            'metric_id': figure.metric_id, 'metric': figure.metric_label, 'segment': figure.segment,
            'population': figure.population, 'value': figure.value, 'unit': figure.unit_label, 'period': figure.period,
            'age_years': figure.age_years, 'publisher': figure.publisher, 'claim_id': figure.claim_id,
            'source_id': figure.source_id
        } ORDER BY figure.metric_id, figure.segment, figure.claim_id
    ) AS figures
FROM latest_figure AS figure
JOIN entity USING (entity_id)
LEFT JOIN city USING (entity_id)
LEFT JOIN entity AS country ON country.entity_id = entity.parent_id
WHERE entity.kind = 'city'
GROUP BY ALL
ORDER BY entity_id
