-- stage: package
-- severity: blocking
-- A headline names an existing claim and a field in which that claim has a figure.
WITH figure AS (
    SELECT claim_id, 'forecast_value_usd_bn' AS field FROM text_forecast WHERE forecast_value_usd_bn IS NOT NULL
    UNION ALL
    SELECT claim_id, 'cagr_pct' FROM text_forecast WHERE cagr_pct IS NOT NULL
    UNION ALL
    SELECT claim_id, 'value' FROM observation
),

judged AS (
    SELECT
        _row,
        claim_id,
        field,
        claim_id IN (SELECT claim_id FROM forecast UNION ALL SELECT claim_id FROM observation) AS is_claim,
        (claim_id, field) IN (SELECT (claim_id, field) FROM figure) AS has_figure
    FROM headline
)

SELECT
    'headline',
    _row,
    CASE WHEN is_claim THEN 'field' ELSE 'claim_id' END,
    CASE WHEN is_claim THEN claim_id || ' has no figure in ' || field ELSE '''' || claim_id || ''' is no claim of any table' END
FROM judged
-- The claim may stand in a table not read in full.
WHERE NOT has_figure AND NOT EXISTS (FROM unread)
