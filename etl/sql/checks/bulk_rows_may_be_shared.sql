-- stage: mart
-- severity: blocking
-- Of a database whose terms forbid redistribution, no more than ten single figures are cited.
SELECT publisher, count(*) AS claims
FROM claim
JOIN source_card USING (source_id)
WHERE terms_class = 'not_redistributable'
GROUP BY publisher
HAVING count(*) > 10
