-- What others say about the matter of a headline: the same market and year, or a metric that is fair to set beside it.
-- Grain: one headline and one claim of another source (repeats left out).
-- label: Headline
-- value: Value
-- place: Place
-- period: When
-- publisher: Publisher
-- why: How the definition differs
WITH own AS (
    SELECT
        headline.headline_id,
        headline.label,
        headline.field,
        path.market_id,
        path.entity_id,
        path.forecast_year,
        path.claim_id,
        path.publisher
    FROM headline
    JOIN forecast_path AS path USING (claim_id)
)

SELECT
    own.headline_id,
    own.label,
    other.claim_id,
    other.source_id,
    other.publisher,
    other.attribution,
    CASE own.field WHEN 'cagr_pct' THEN other.cagr_pct ELSE other.forecast_value_usd_bn END AS value,
    CASE own.field WHEN 'cagr_pct' THEN 'percent' ELSE 'usd_bn' END AS unit_id,
    CASE own.field
        WHEN 'cagr_pct' THEN coalesce(other.cagr_start_year, other.base_year) || '–' || coalesce(other.cagr_end_year, other.forecast_year)
        ELSE other.forecast_year::VARCHAR
    END AS period,
    NULL::VARCHAR AS why
FROM own
JOIN forecast_path AS other USING (market_id, entity_id)
WHERE other.is_whole_market
    AND NOT other.is_repeat
    AND other.publisher <> own.publisher
    AND CASE own.field
        WHEN 'cagr_pct' THEN other.cagr_pct IS NOT NULL
        ELSE other.forecast_year = own.forecast_year AND other.forecast_value_usd_bn IS NOT NULL
    END
UNION ALL
SELECT
    headline.headline_id,
    headline.label,
    figure.claim_id,
    figure.source_id,
    figure.publisher,
    figure.attribution,
    figure.value,
    figure.unit_id,
    figure.period,
    comparison.why
FROM headline
JOIN headline_comparison AS comparison USING (headline_id)
JOIN observation_figure AS figure USING (metric_id)
WHERE figure.claim_id <> headline.claim_id
    AND figure.entity_id = 'world'
    AND NOT figure.is_repeat
ORDER BY headline_id, value DESC, claim_id
