-- stage: package
-- severity: blocking
-- Growth rates are percent a year, not fractions.
SELECT 'forecast', _row, 'cagr_pct', 
    format('''{0:.15g}'' looks like a fraction; write percent ({1:.15g})', cagr_pct, round(100 * cagr_pct, 6))
FROM forecast
WHERE abs(cagr_pct) < 1 AND cagr_pct <> 0
