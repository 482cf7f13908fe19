-- stage: mart
-- severity: warning
-- The headquarters of a company is a city of the list of places.
SELECT company_id, headquarters
FROM company
WHERE headquarters IS NOT NULL AND city_id IS NULL
