-- stage: mart
-- severity: blocking
-- Every claim of the package arrives in the list of claims once.
SELECT claim_id, count(*) - 1 AS surplus
FROM (
    SELECT claim_id FROM forecast
    UNION ALL
    SELECT claim_id FROM observation
    UNION ALL
    SELECT claim_id FROM salary
    UNION ALL
    SELECT claim_id FROM salary_stackoverflow
    UNION ALL
    SELECT claim_id FROM claim
)
GROUP BY claim_id
HAVING count(*) <> 2
