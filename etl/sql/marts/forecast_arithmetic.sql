-- Does a forecast keep its own promise? Its stated growth rate against what its base and target imply.
-- Implied rate = (target / base)^(1 / years) - 1; implied target = base * (1 + rate)^years. A claim is consistent
-- where the stated rate meets its target within the rounding of the printed digits, consistent with another start
-- year where one year less or more does, inconsistent where neither does.
-- Grain: one forecast claim.
-- years: Years from base to target
-- implied_cagr_pct: Implied growth (% a year)
-- implied_target_usd_bn: Target that the stated rate implies (US$ bn)
-- relative_error_pct: Implied over stated target (%)
-- target_one_year_less_usd_bn: Implied target, one year less (US$ bn)
-- target_one_year_more_usd_bn: Implied target, one year more (US$ bn)
-- verdict: Verdict
WITH checkable AS (
    SELECT
        path.*,
        path.forecast_year - path.base_year AS years,
        rounding.base_half,
        rounding.target_half,
        rounding.rate_half
    FROM forecast_path AS path
    JOIN forecast_rounding AS rounding USING (claim_id)
    WHERE path.base_value_usd_bn > 0
        AND path.forecast_value_usd_bn > 0
        AND path.forecast_year > path.base_year
        AND path.cagr_pct IS NOT NULL
),

implied AS (
    SELECT
        *,
        100 * (pow(forecast_value_usd_bn / base_value_usd_bn, 1 / years) - 1) AS implied_cagr_pct,
        base_value_usd_bn * pow(1 + cagr_pct / 100, years) AS implied_target_usd_bn,
        base_value_usd_bn * pow(1 + cagr_pct / 100, years - 1) AS target_one_year_less_usd_bn,
        base_value_usd_bn * pow(1 + cagr_pct / 100, years + 1) AS target_one_year_more_usd_bn,
        [years - 1, years, years + 1] AS readings,
        [
            n
            FOR n IN readings
            IF (base_value_usd_bn - base_half) * pow(1 + (cagr_pct - rate_half) / 100, n)
                <= forecast_value_usd_bn + target_half
            AND (base_value_usd_bn + base_half) * pow(1 + (cagr_pct + rate_half) / 100, n)
                >= forecast_value_usd_bn - target_half
        ] AS fitting
    FROM checkable
)

SELECT
    path.claim_id,
    path.source_id,
    path.publisher,
    path.publisher_rank,
    path.attribution,
    path.market_id,
    path.market_label,
    path.entity_id,
    path.place,
    path.segment,
    path.published,
    path.published_year,
    path.edition,
    path.is_repeat,
    path.is_whole_market,
    path.base_year,
    path.base_value_usd_bn,
    path.forecast_year,
    path.forecast_value_usd_bn,
    path.cagr_pct,
    implied.years,
    implied.implied_cagr_pct,
    implied.implied_target_usd_bn,
    100 * (implied.implied_target_usd_bn / path.forecast_value_usd_bn - 1) AS relative_error_pct,
    implied.target_one_year_less_usd_bn,
    implied.target_one_year_more_usd_bn,
    CASE
        WHEN implied.claim_id IS NULL THEN 'not checkable'
        WHEN list_contains(implied.fitting, implied.years) THEN 'consistent'
        WHEN len(implied.fitting) > 0 THEN 'consistent with another start year'
        ELSE 'inconsistent'
    END AS verdict
FROM forecast_path AS path
LEFT JOIN implied USING (claim_id)
ORDER BY path.claim_id
