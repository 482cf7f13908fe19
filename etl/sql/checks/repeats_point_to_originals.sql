-- stage: package
-- severity: blocking
-- A repeat points to an original claim, never to itself or to another repeat.
WITH every_claim AS (
    SELECT 'forecast' AS dataset, _row, claim_id, repeats_claim_id FROM forecast
    UNION ALL
    SELECT dataset, _row, claim_id, repeats_claim_id FROM observation
)

SELECT repeated.dataset, repeated._row, 'repeats_claim_id',
    CASE
        WHEN original.claim_id IS NULL THEN '''' || repeated.repeats_claim_id || ''' is no claim of any table'
        WHEN original.claim_id = repeated.claim_id THEN 'a claim cannot repeat itself; name the original or leave the cell empty'
        ELSE '''' || repeated.repeats_claim_id || ''' is itself a repeat; point to the claim that it repeats'
    END
FROM every_claim AS repeated
LEFT JOIN every_claim AS original ON original.claim_id = repeated.repeats_claim_id
WHERE original.repeats_claim_id IS NOT NULL
    OR original.claim_id = repeated.claim_id
    -- A forecast repeats a forecast, which is a declared reference. A table not read in full may hold the original.
    OR (
        original.claim_id IS NULL
        AND repeated.repeats_claim_id IS NOT NULL
        AND repeated.dataset <> 'forecast'
        AND NOT EXISTS (FROM unread)
    )
