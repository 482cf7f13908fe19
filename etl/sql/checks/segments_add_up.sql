-- stage: mart
-- severity: warning
-- Where one table of one source gives the whole and at least four parts of it, the parts add up to it within 1 percent.
WITH parts AS (
    SELECT source_id, year, sum(value_usd_bn) AS total, count(*) AS segments
    FROM (
        SELECT DISTINCT source_id, year, segment, value_usd_bn
        FROM forecast_value
        WHERE NOT is_whole_market AND entity_id = 'world'
    )
    GROUP BY source_id, year
    HAVING count(*) >= 4
),

wholes AS (
    SELECT source_id, year, any_value(value_usd_bn) AS value_usd_bn
    FROM forecast_value
    WHERE is_whole_market AND entity_id = 'world'
    GROUP BY source_id, year
    HAVING count(DISTINCT value_usd_bn) = 1
)

SELECT wholes.source_id, wholes.year, wholes.value_usd_bn AS whole, round(parts.total, 3) AS parts_total, parts.segments
FROM parts
JOIN wholes USING (source_id, year)
WHERE abs(wholes.value_usd_bn - parts.total) > 0.01 * wholes.value_usd_bn
