-- The headline figures of the overview, each with the claim that it rests on.
-- Grain: one headline.
-- value: Value
-- printed: As printed
-- place: Place
-- publisher: Publisher
-- url: Address
SELECT
    headline.headline_id,
    headline.position,
    headline.label,
    headline.question,
    headline.claim_id,
    path.source_id,
    path.publisher,
    path.attribution,
    CASE headline.field
        WHEN 'cagr_pct' THEN path.cagr_pct
        ELSE path.forecast_value_usd_bn
    END AS value,
    CASE headline.field WHEN 'cagr_pct' THEN printed.cagr_pct ELSE printed.forecast_value_usd_bn END AS printed,
    CASE headline.field WHEN 'cagr_pct' THEN 'percent' ELSE 'usd_bn' END AS unit_id,
    path.forecast_year::VARCHAR AS period,
    path.published,
    path.carrier,
    path.url,
    path.note
FROM headline
JOIN forecast_path AS path USING (claim_id)
JOIN text_forecast AS printed USING (claim_id)
UNION ALL
SELECT
    headline.headline_id,
    headline.position,
    headline.label,
    headline.question,
    headline.claim_id,
    figure.source_id,
    figure.publisher,
    figure.attribution,
    figure.value,
    figure.value::VARCHAR,
    figure.unit_id,
    figure.period,
    figure.published,
    figure.carrier,
    figure.url,
    figure.note
FROM headline
JOIN observation_figure AS figure USING (claim_id)
ORDER BY position
