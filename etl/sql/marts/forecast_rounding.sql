-- How far the figures of a forecast may lie from what is printed: half a unit of the last printed digit.
-- Zeros at the end of a whole market value may be rounding (1,000 for "a trillion"), but two digits always count.
-- Grain: one forecast claim.
-- base_half: Rounding of the base (US$ bn)
-- target_half: Rounding of the target (US$ bn)
-- rate_half: Rounding of the stated rate (points)
WITH printed AS (
    SELECT
        claim_id,
        base_value_usd_bn AS base,
        forecast_value_usd_bn AS target,
        cagr_pct AS rate
    FROM text_forecast
)

SELECT
    claim_id,
    0.5 * CASE
        WHEN contains(base, '.') THEN pow(10, -length(split_part(base, '.', 2)))
        ELSE pow(10, greatest(0, least(length(base) - length(rtrim(base, '0')), length(base) - 2)))
    END AS base_half,
    0.5 * CASE
        WHEN contains(target, '.') THEN pow(10, -length(split_part(target, '.', 2)))
        ELSE pow(10, greatest(0, least(length(target) - length(rtrim(target, '0')), length(target) - 2)))
    END AS target_half,
    0.5 * pow(10, -length(split_part(rate, '.', 2))) AS rate_half
FROM printed
ORDER BY claim_id
