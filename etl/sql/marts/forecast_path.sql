-- Every published market forecast with the names that a reader sees; a repeat of another claim says so.
-- Grain: one forecast claim.
-- publisher: Publisher
-- publisher_rank: Rank of the publisher
-- resembles: Resembles
-- market_label: Market
-- place: Place
-- published_year: Year published
-- edition: Edition
-- is_repeat: Repeats another claim
-- is_whole_market: Whole market
-- url: Address
SELECT
    forecast.claim_id,
    forecast.source_id,
    coalesce(publisher.name, 'Firm not named') AS publisher,
    publisher_rank.publisher_rank,
    forecast.attribution,
    forecast.relayed_by,
    resembled.name AS resembles,
    forecast.market_id,
    market.label AS market_label,
    forecast.entity_id,
    place.name AS place,
    forecast.segment,
    forecast.base_year,
    forecast.base_value_usd_bn,
    forecast.forecast_year,
    forecast.forecast_value_usd_bn,
    forecast.cagr_pct,
    forecast.cagr_start_year,
    forecast.cagr_end_year,
    source.published,
    TRY_CAST(left(source.published, 4) AS BIGINT) AS published_year,
    source.title AS edition,
    forecast.bound,
    forecast.repeats_claim_id,
    forecast.repeats_claim_id IS NOT NULL AS is_repeat,
    forecast.segment IS NULL AS is_whole_market,
    source.url,
    source.carrier,
    forecast.note
FROM forecast
JOIN source USING (source_id)
JOIN market USING (market_id)
JOIN entity AS place ON place.entity_id = forecast.entity_id
LEFT JOIN publisher USING (publisher_id)
LEFT JOIN publisher_rank USING (publisher_id)
LEFT JOIN publisher AS resembled ON resembled.publisher_id = forecast.resembles_publisher_id
ORDER BY forecast.claim_id
