-- How often a source's figures of a metric are to be expected anew: its own rhythm where it is read live, else
-- that of the live source of the same publisher that goes on with the metric. Whether it is late depends on the day.
-- Grain: one publication and metric.
-- live_source_id: Live source
-- rhythm_days: Days between editions
-- newest_edition: Newest edition of the publisher, its last possible day
WITH told AS (
    SELECT DISTINCT source_id, metric_id FROM observation
    UNION
    SELECT DISTINCT source_id, metric_id FROM live_observation
),

followed AS (
    SELECT
        live_source.publisher_id,
        covered.metric_id,
        live_source.source_id AS live_source_id,
        live_source.rhythm_days
    FROM (
        SELECT source_id, metric_id FROM live_target WHERE metric_id IS NOT NULL
        UNION
        SELECT source_id, metric_id FROM live_observation
    ) AS covered
    JOIN live_source USING (source_id)
    QUALIFY row_number() OVER (
        PARTITION BY live_source.publisher_id, covered.metric_id
        ORDER BY live_source.rhythm_days, live_source.source_id
    ) = 1
),

edition AS (
    SELECT
        source.publisher_id,
        told.metric_id,
        max(CASE length(source.published)
            WHEN 4 THEN make_date(CAST(source.published AS INTEGER), 12, 31)
            WHEN 7 THEN last_day(CAST(source.published || '-01' AS DATE))
            ELSE CAST(source.published AS DATE)
        END) AS newest_edition
    FROM told
    JOIN source USING (source_id)
    GROUP BY source.publisher_id, told.metric_id
)

SELECT
    told.source_id,
    told.metric_id,
    coalesce(own.source_id, followed.live_source_id) AS live_source_id,
    coalesce(own.rhythm_days, followed.rhythm_days) AS rhythm_days,
    edition.newest_edition
FROM told
JOIN source USING (source_id)
JOIN edition ON edition.publisher_id = source.publisher_id AND edition.metric_id = told.metric_id
LEFT JOIN live_source AS own ON own.source_id = told.source_id
LEFT JOIN followed ON followed.publisher_id = source.publisher_id AND followed.metric_id = told.metric_id
WHERE own.source_id IS NOT NULL OR followed.live_source_id IS NOT NULL
ORDER BY told.source_id, told.metric_id
