-- stage: package
-- severity: blocking
-- A claim id names one claim in all tables.
WITH every_claim AS (
    SELECT 'forecast' AS dataset, _row, claim_id FROM forecast
    UNION ALL
    SELECT dataset, _row, claim_id FROM observation
),

first_use AS (
    SELECT claim_id, min_by(dataset, (dataset, _row)) AS dataset, min_by(_row, (dataset, _row)) AS _row
    FROM every_claim
    GROUP BY claim_id
)

-- Twice in one table is what the declared key of that table finds.
SELECT claim.dataset, claim._row, 'claim_id',
    '''' || claim_id || ''' names a claim of the table ' || first_use.dataset || ' already (row ' || first_use._row
        || '); give this one its own id'
FROM every_claim AS claim
JOIN first_use USING (claim_id)
WHERE claim.dataset <> first_use.dataset
