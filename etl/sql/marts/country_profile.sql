-- What is known about a country: its size and prices, each with its year, and the latest figure of each metric.
-- Price level = PPP factor / exchange rate of the same year, or of a neighbouring year; missing where no such rate is known.
-- Grain: one country.
-- country: Country
-- population_year: Year of the population
-- gdp_usd: Gross domestic product (US$)
-- gdp_year: Year of the GDP
-- gdp_per_head_usd: GDP per head (US$)
-- ppp_factor: Purchasing power parity (local currency per international $)
-- ppp_year: Year of the PPP factor
-- ppp_publisher: Publisher of the PPP factor
-- exchange_rate: Exchange rate (local currency per US$)
-- exchange_rate_year: Year of the exchange rate
-- price_level: Price level (United States = 1)
-- price_level_rate: Exchange rate behind the price level
-- price_level_rate_year: Year of that rate
-- metrics: Metrics
-- figures: Latest figures
WITH context AS (
    SELECT
        entity_id,
        max_by(value, period) FILTER (metric_id = 'population') AS population,
        max(year) FILTER (metric_id = 'population') AS population_year,
        max_by(value, period) FILTER (metric_id = 'gdp') AS gdp_usd,
        max(year) FILTER (metric_id = 'gdp') AS gdp_year,
        max_by(value, period) FILTER (metric_id = 'gdp_per_head') AS gdp_per_head_usd,
        max_by(value, period) FILTER (metric_id = 'ppp_factor') AS ppp_factor,
        max(year) FILTER (metric_id = 'ppp_factor') AS ppp_year,
        max_by(publisher, period) FILTER (metric_id = 'ppp_factor') AS ppp_publisher,
        max_by(value, period) FILTER (metric_id = 'exchange_rate') AS exchange_rate,
        max(year) FILTER (metric_id = 'exchange_rate') AS exchange_rate_year
    FROM latest_figure
    WHERE topic = 'context' AND place_kind = 'country'
    GROUP BY entity_id
),

known AS (
    SELECT
        entity_id,
        count(DISTINCT metric_id) AS metrics,
        list(
            {
                'metric_id': metric_id, 'metric': metric_label, 'segment': segment, 'population': population,
                'value': value, 'unit': unit_label, 'period': period, 'age_years': age_years, 'publisher': publisher,
                'claim_id': claim_id, 'source_id': source_id
            } ORDER BY metric_id, segment, claim_id
        ) AS figures
    FROM latest_figure
    WHERE topic <> 'context'
    GROUP BY entity_id
),

priced AS (
    SELECT
        context.entity_id,
        rate.lcu_per_usd AS price_level_rate,
        rate.rate_year AS price_level_rate_year
    FROM context
    JOIN country USING (entity_id)
    JOIN (
        SELECT currency, rate_year, lcu_per_usd FROM usd_rate
        UNION ALL
        SELECT own.currency_code, context.exchange_rate_year, context.exchange_rate
        FROM context
        JOIN country AS own USING (entity_id)
        WHERE context.exchange_rate IS NOT NULL
    ) AS rate ON rate.currency = country.currency_code
    WHERE abs(rate.rate_year - context.ppp_year) <= 1
    QUALIFY row_number() OVER (
        PARTITION BY context.entity_id ORDER BY abs(rate.rate_year - context.ppp_year), rate.rate_year, rate.lcu_per_usd
    ) = 1
)

SELECT
    country.entity_id,
    entity.name AS country,
    country.region,
    country.sub_region,
    country.currency_code,
    context.* EXCLUDE (entity_id),
    context.ppp_factor / priced.price_level_rate AS price_level,
    priced.price_level_rate,
    priced.price_level_rate_year,
    coalesce(known.metrics, 0) AS metrics,
    known.figures
FROM country
JOIN entity USING (entity_id)
LEFT JOIN context USING (entity_id)
LEFT JOIN priced USING (entity_id)
LEFT JOIN known USING (entity_id)
ORDER BY country.entity_id
