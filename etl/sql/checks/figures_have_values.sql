-- stage: package
-- severity: blocking
-- A forecast states a value for a year, or a growth rate.
SELECT 'forecast', _row, 'forecast_value_usd_bn', 'the claim has no figure at all: give a base, a target or a growth rate'
FROM text_forecast
WHERE base_value_usd_bn IS NULL AND forecast_value_usd_bn IS NULL AND cagr_pct IS NULL
