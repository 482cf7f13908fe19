-- How many units of a currency a US dollar was worth, per year: the rates that conversions name.
-- Grain: one currency and year.
-- lcu_per_usd: Units per US dollar
-- rate_year: Year of the rate
-- rate_source_id: Source of the rate
SELECT
    currency,
    CAST(left(period, 4) AS BIGINT) AS rate_year,
    lcu_per_usd,
    source_id AS rate_source_id
FROM exchange_rate
UNION ALL
SELECT 'USD', year, 1.0, NULL
FROM range(2000, 2061) AS years (year)
ORDER BY currency, rate_year
