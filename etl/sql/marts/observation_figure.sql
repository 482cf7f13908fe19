-- Every observation with the names that a reader sees, and its value in the unit of its metric beside the published one.
-- Where the currency differs, the value is converted at the rate of its year, or of the nearest year that has one;
-- the rate, its year and its source stand in the row.
-- Grain: one observation claim.
-- publisher: Publisher
-- publisher_rank: Rank of the publisher
-- metric_label: Metric
-- place: Place
-- place_kind: Kind of place
-- unit_label: Unit
-- harmonised_value: Value in the metric's unit
-- harmonised_unit_id: Unit of the metric
-- harmonised_unit: Unit
-- rate_used: Units of the currency per US dollar
-- rate_year: Year of the rate
-- rate_source_id: Source of the rate
-- year: Year
-- is_whole_year: Covers one whole year
-- is_repeat: Repeats another claim
-- url: Address
WITH dated AS (
    SELECT *, CAST(left(split_part(period, '/', -1), 4) AS BIGINT) AS year
    FROM observation
),

converted AS (
    SELECT
        dated.claim_id,
        rate.lcu_per_usd AS rate_used,
        rate.rate_year,
        rate.rate_source_id
    FROM dated
    JOIN unit USING (unit_id)
    JOIN metric USING (metric_id)
    JOIN unit AS own_unit ON own_unit.unit_id = metric.unit_id
    JOIN usd_rate AS rate ON rate.currency = unit.currency
    WHERE own_unit.currency = 'USD' AND unit.currency <> 'USD'
    QUALIFY row_number() OVER (
        PARTITION BY dated.claim_id ORDER BY abs(rate.rate_year - dated.year), rate.rate_year
    ) = 1
)

SELECT
    dated.claim_id,
    dated.dataset,
    dated.source_id,
    coalesce(publisher.name, 'Firm not named') AS publisher,
    publisher_rank.publisher_rank,
    dated.attribution,
    dated.relayed_by,
    dated.metric_id,
    metric.topic,
    metric.label AS metric_label,
    dated.entity_id,
    place.name AS place,
    place.kind AS place_kind,
    dated.period,
    dated.year,
    length(dated.period) = 4 AS is_whole_year,
    dated.segment,
    dated.population,
    dated.series,
    dated.value,
    dated.bound,
    dated.unit_id,
    unit.label AS unit_label,
    unit.dimension,
    unit.currency,
    CASE
        WHEN unit.currency IS NOT DISTINCT FROM own_unit.currency THEN dated.value * unit.factor / own_unit.factor
        ELSE dated.value * unit.factor / converted.rate_used / own_unit.factor
    END AS harmonised_value,
    own_unit.unit_id AS harmonised_unit_id,
    own_unit.label AS harmonised_unit,
    converted.rate_used,
    converted.rate_year,
    converted.rate_source_id,
    dated.status,
    dated.basis,
    dated.vintage,
    source.published,
    source.carrier,
    source.url,
    dated.repeats_claim_id,
    dated.repeats_claim_id IS NOT NULL AS is_repeat,
    dated.note
FROM dated
JOIN source USING (source_id)
JOIN metric USING (metric_id)
JOIN unit ON unit.unit_id = dated.unit_id
JOIN unit AS own_unit ON own_unit.unit_id = metric.unit_id
JOIN entity AS place ON place.entity_id = dated.entity_id
LEFT JOIN converted USING (claim_id)
LEFT JOIN publisher USING (publisher_id)
LEFT JOIN publisher_rank USING (publisher_id)
ORDER BY dated.claim_id
