-- Every claim, forecast, observation or pay statistic, in one list.
-- Grain: one claim.
-- dataset: Table
-- subject: What
-- place: Place
-- period: When
-- value: Value
-- unit_label: Unit
-- is_repeat: Repeats another claim
SELECT
    claim_id, source_id, 'forecast' AS dataset, 'market' AS topic, attribution, is_repeat,
    market_label || coalesce(': ' || segment, '')
        || CASE WHEN forecast_value_usd_bn IS NULL AND base_value_usd_bn IS NULL THEN ', growth a year' ELSE ', market size' END
        AS subject,
    place,
    CASE
        WHEN base_year IS NOT NULL AND forecast_year IS NOT NULL THEN base_year || '–' || forecast_year
        ELSE coalesce(forecast_year, base_year, cagr_end_year)::VARCHAR
    END AS period,
    coalesce(forecast_value_usd_bn, base_value_usd_bn, cagr_pct) AS value,
    CASE
        WHEN forecast_value_usd_bn IS NULL AND base_value_usd_bn IS NULL THEN 'percent'
        ELSE 'billion US dollars'
    END AS unit_label,
    note
FROM forecast_path
UNION ALL
SELECT
    claim_id, source_id, dataset, topic, attribution, is_repeat,
    metric_label || coalesce(': ' || segment, '') || coalesce(', ' || population, ''),
    place, period, value, unit_label, note
FROM observation_figure
UNION ALL
SELECT
    claim_id, source_id, dataset, 'pay', attribution, is_repeat,
    'Pay of ' || role || ', ' || statistic || CASE experience_level WHEN 'all' THEN '' ELSE ', ' || experience_level END,
    place, year::VARCHAR, value, currency || ' a year', note
FROM salary_statement
ORDER BY claim_id
