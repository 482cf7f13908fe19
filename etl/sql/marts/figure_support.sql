-- How much stands behind a figure: the claims about one thing, the pages they were read on, and the independent
-- publishers. Pages that quote one report are one source; claims whose firm is not named add none.
-- Grain: one metric or market, entity, period, segment, population and series.
-- claims: Claims
-- pages: Pages
-- independent_sources: Independent sources
-- lowest: Lowest value
-- highest: Highest value
-- about: What
-- about_id: Metric or market
-- place: Place
WITH stated AS (
    SELECT
        claim_id, source_id, metric_id AS about_id, metric_label AS about, entity_id, place, period,
        segment, population, series, harmonised_value AS value, publisher
    FROM observation_figure
    UNION ALL
    SELECT
        claim_id, source_id, market_id, market_label, entity_id, place, forecast_year::VARCHAR,
        segment, NULL, NULL, forecast_value_usd_bn, publisher
    FROM forecast_path
    WHERE forecast_value_usd_bn IS NOT NULL
)

SELECT
    stated.about_id,
    any_value(stated.about) AS about,
    stated.entity_id,
    any_value(stated.place) AS place,
    stated.period,
    stated.segment,
    stated.population,
    stated.series,
    count(*) AS claims,
    count(DISTINCT source.url) AS pages,
    count(DISTINCT stated.publisher) FILTER (stated.publisher <> 'Firm not named') AS independent_sources,
    min(stated.value) AS lowest,
    max(stated.value) AS highest
FROM stated
JOIN source USING (source_id)
GROUP BY stated.about_id, stated.entity_id, stated.period, stated.segment, stated.population, stated.series
ORDER BY ALL
