-- People, companies and postings of a country per million inhabitants, with the population that they are divided by.
-- Grain: one observation that counts something in a country.
-- per_million: Per million people
-- population_used: Population divided by
-- population_year: Year of the population
-- population_source_id: Source of the population
WITH inhabitants AS (
    SELECT entity_id, value AS population_used, year AS population_year, source_id AS population_source_id
    FROM latest_figure
    WHERE metric_id = 'population' AND place_kind = 'country'
)

SELECT
    figure.*,
    1e6 * figure.harmonised_value / inhabitants.population_used AS per_million,
    inhabitants.population_used,
    inhabitants.population_year,
    inhabitants.population_source_id
FROM observation_figure AS figure
JOIN inhabitants USING (entity_id)
WHERE figure.dimension = 'count' AND figure.topic IN ('workforce', 'hubs') AND NOT figure.is_repeat
ORDER BY figure.claim_id
