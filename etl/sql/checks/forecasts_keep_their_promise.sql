-- stage: mart
-- severity: warning
-- A forecast reaches its target at its stated rate, give or take 10 percent.
SELECT claim_id, publisher, round(relative_error_pct, 1) AS relative_error_pct
FROM forecast_arithmetic
WHERE abs(relative_error_pct) > 10
