-- What is said about the AI workforce of countries. Each figure belongs to a measure: one metric, part, population and
-- series by one publisher, since the figures of two publishers or two word lists must not stand in one ranking.
-- Grain: one observation on the workforce of a country.
-- measure: Measure
-- measure_label: What is measured
-- measure_countries: Countries with the measure
-- per_million: Per million people
-- population_used: Population divided by
-- population_year: Year of the population
SELECT
    figure.*,
    concat_ws('.', figure.metric_id, figure.segment, figure.population, figure.series, figure.publisher) AS measure,
    figure.metric_label || coalesce(': ' || figure.segment, '') || coalesce(': ' || figure.population, '')
        || ' (' || figure.publisher
        || CASE WHEN contains(figure.publisher, figure.series) THEN '' ELSE coalesce(', ' || figure.series, '') END
        || ')' AS measure_label,
    len(list(DISTINCT figure.entity_id) OVER (PARTITION BY measure)) AS measure_countries,
    talent_per_head.per_million,
    talent_per_head.population_used,
    talent_per_head.population_year
FROM observation_figure AS figure
LEFT JOIN talent_per_head USING (claim_id)
WHERE figure.topic = 'workforce' AND figure.place_kind = 'country' AND NOT figure.is_repeat
ORDER BY figure.claim_id
