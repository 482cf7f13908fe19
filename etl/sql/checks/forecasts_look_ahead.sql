-- stage: package
-- severity: blocking
-- The target year of a forecast comes after its base year, and its growth rate ends after it starts.
SELECT 'forecast', _row, 'forecast_year', 'the target year ' || forecast_year || ' is not after the base year ' || base_year
FROM forecast
WHERE forecast_year <= base_year
UNION ALL
SELECT 'forecast', _row, 'cagr_end_year', 'the growth rate ends in ' || cagr_end_year || ', not after its start in ' || cagr_start_year
FROM forecast
WHERE cagr_end_year <= cagr_start_year
