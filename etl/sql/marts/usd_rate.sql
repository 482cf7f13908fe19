-- How many units of a currency a US dollar was worth, per year: the rates that conversions name. Reviewed rates come
-- first; years that they lack take the yearly average published last for a country with that currency.
-- Grain: one currency and year.
-- lcu_per_usd: Units per US dollar
-- rate_year: Year of the rate
-- rate_source_id: Source of the rate
WITH published AS (
    SELECT
        country.currency_code AS currency,
        CAST(left(figure.period, 4) AS BIGINT) AS rate_year,
        figure.value AS lcu_per_usd,
        figure.source_id AS rate_source_id
    FROM observation AS figure
    JOIN live_source USING (source_id)
    JOIN country USING (entity_id)
    JOIN source USING (source_id)
    WHERE figure.metric_id = 'exchange_rate' AND figure.status = 'actual' AND length(figure.period) = 4
        AND figure.repeats_claim_id IS NULL AND country.currency_code <> 'USD'
    QUALIFY row_number() OVER (
        PARTITION BY currency, rate_year ORDER BY source.published DESC, figure.source_id, figure.entity_id
    ) = 1
)

SELECT
    currency,
    CAST(left(period, 4) AS BIGINT) AS rate_year,
    lcu_per_usd,
    source_id AS rate_source_id
FROM exchange_rate
UNION ALL
SELECT *
FROM published
WHERE (currency, rate_year) NOT IN (SELECT (currency, CAST(left(period, 4) AS BIGINT)) FROM exchange_rate)
UNION ALL
SELECT 'USD', year, 1.0, NULL
FROM range(2000, 2061) AS years (year)
ORDER BY currency, rate_year
