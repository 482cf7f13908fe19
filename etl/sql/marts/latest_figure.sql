-- The latest figure of every metric of every place: of each publisher's own claims the newest period, then the
-- newest edition. A difference between publishers stays visible: see how many stand behind it.
-- Grain: one place, metric, segment, population and series.
-- value: Value
-- metric_label: Metric
-- place: Place
-- place_kind: Kind of place
-- unit_label: Unit
-- publisher: Publisher
-- url: Address
-- age_years: Age (years)
-- others: Other claims for the same
SELECT
    claim_id,
    source_id,
    entity_id,
    place,
    place_kind,
    metric_id,
    metric_label,
    topic,
    segment,
    population,
    series,
    value,
    unit_id,
    unit_label,
    harmonised_value,
    harmonised_unit_id,
    period,
    year,
    (SELECT max(left(published, 4))::BIGINT FROM source) - year AS age_years,
    status,
    publisher,
    published,
    attribution,
    url,
    count(*) OVER same - 1 AS others
FROM observation_figure
WHERE place_kind IN ('world', 'region', 'country', 'city') AND NOT is_repeat AND attribution <> 'misquoted'
WINDOW same AS (PARTITION BY entity_id, metric_id, segment, population, series)
QUALIFY row_number() OVER (
    PARTITION BY entity_id, metric_id, segment, population, series
    ORDER BY year DESC, period DESC, published DESC NULLS LAST, claim_id
) = 1
ORDER BY entity_id, metric_id, segment, population, series
