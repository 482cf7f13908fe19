-- How fast a framework gains by one signal: its latest figure against the one of a year earlier in the same series.
-- Grain: one framework, metric, population, place and series that has both.
-- framework: Framework
-- category: Category
-- metric_label: Signal
-- period: Latest
-- value: Latest value
-- earlier_period: A year earlier
-- earlier_value: Value a year earlier
-- earlier_claim_id: Claim a year earlier
-- change_pct: Change in a year (%)
-- rank_change: Ranks gained
WITH ordered AS (
    SELECT *
    FROM framework_signal
    WHERE regexp_full_match(period, '\d{4}(-\d{2})?')
),

newest AS (
    SELECT *
    FROM ordered
    QUALIFY row_number() OVER (
        PARTITION BY entity_id, metric_id, population, segment, place_id, series, publisher ORDER BY period DESC, published DESC, claim_id
    ) = 1
)

SELECT
    newest.claim_id,
    newest.source_id,
    newest.entity_id,
    newest.framework,
    newest.category,
    newest.metric_id,
    newest.metric_label,
    newest.population,
    newest.place_id,
    newest.series,
    newest.publisher,
    newest.attribution,
    newest.published,
    newest.url,
    newest.period,
    newest.value,
    newest.unit_id,
    earlier.period AS earlier_period,
    earlier.value AS earlier_value,
    earlier.claim_id AS earlier_claim_id,
    100 * (newest.value / earlier.value - 1) AS change_pct,
    earlier.signal_rank - newest.signal_rank AS rank_change
FROM newest
JOIN ordered AS earlier
    ON earlier.entity_id = newest.entity_id
    AND earlier.metric_id = newest.metric_id
    AND earlier.publisher = newest.publisher
    AND earlier.population IS NOT DISTINCT FROM newest.population
    AND earlier.segment IS NOT DISTINCT FROM newest.segment
    AND earlier.place_id IS NOT DISTINCT FROM newest.place_id
    AND earlier.series IS NOT DISTINCT FROM newest.series
    AND earlier.period = (newest.year - 1) || substr(newest.period, 5)
WHERE earlier.value > 0
QUALIFY row_number() OVER (PARTITION BY newest.claim_id ORDER BY earlier.published DESC, earlier.claim_id) = 1
ORDER BY newest.claim_id
