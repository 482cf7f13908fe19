-- What each forecast says that one year was or will be worth: its base and its target, as printed.
-- Grain: one forecast claim and one of the years that it prints a value for.
-- year: Year
-- value_usd_bn: Value (US$ bn)
-- role: Part of the forecast
SELECT
    claim_id, source_id, publisher, publisher_rank, attribution, market_id, market_label, entity_id, place, segment,
    published, published_year, edition, is_repeat, is_whole_market, bound,
    base_year AS year, base_value_usd_bn AS value_usd_bn, 'base' AS role
FROM forecast_path
WHERE base_year IS NOT NULL AND base_value_usd_bn IS NOT NULL
UNION ALL
SELECT
    claim_id, source_id, publisher, publisher_rank, attribution, market_id, market_label, entity_id, place, segment,
    published, published_year, edition, is_repeat, is_whole_market, bound,
    forecast_year, forecast_value_usd_bn, 'target'
FROM forecast_path
WHERE forecast_year IS NOT NULL AND forecast_value_usd_bn IS NOT NULL
ORDER BY claim_id, year
