-- How popular each framework is by each signal, with its rank and share among those that the same source counted.
-- Shares and ranks hold within one metric, period, population, place and source, of surveys within one question:
-- signals are never added up.
-- Grain: one observation of a framework.
-- framework: Framework
-- category: Category
-- metric_label: Signal
-- month: Month
-- signal_rank: Rank
-- share_pct: Share among the counted (%)
-- counted: Names counted
WITH counted AS (
    SELECT
        observation.claim_id,
        observation.source_id,
        observation.entity_id,
        framework.name AS framework,
        framework.category,
        framework.tool_id,
        observation.metric_id,
        metric.label AS metric_label,
        observation.period,
        CAST(left(observation.period, 4) AS BIGINT) AS year,
        observation.population,
        observation.segment,
        observation.series,
        observation.place_id,
        observation.value,
        metric.unit_id,
        observation.attribution,
        coalesce(publisher.name, 'Firm not named') AS publisher,
        source.published,
        source.url,
        observation.note
    FROM observation
    JOIN framework USING (entity_id)
    JOIN metric USING (metric_id)
    JOIN source USING (source_id)
    LEFT JOIN publisher USING (publisher_id)
    WHERE metric.topic = 'frameworks' AND observation.repeats_claim_id IS NULL
)

SELECT
    *,
    rank() OVER (together ORDER BY value DESC) AS signal_rank,
    100 * value / sum(value) OVER together AS share_pct,
    count(*) OVER together AS counted
FROM counted
WINDOW together AS (
    PARTITION BY
        metric_id, period, population, segment, place_id, publisher,
        CASE WHEN metric_id LIKE 'survey_%' THEN series END
)
ORDER BY claim_id
