-- stage: package
-- severity: blocking
-- A claim is unnamed exactly where its source names no publisher.
WITH every_claim AS (
    SELECT 'forecast' AS dataset, _row, attribution, source_id FROM forecast
    UNION ALL
    SELECT dataset, _row, attribution, source_id FROM observation
)

SELECT claim.dataset, list(claim._row ORDER BY claim._row), 'attribution',
    'the attribution is ''' || claim.attribution || ''' but the source ' || source_id || ' names '
        || coalesce(source.publisher_id, 'no publisher')
FROM every_claim AS claim
JOIN source USING (source_id)
WHERE (claim.attribution = 'unnamed') <> (source.publisher_id IS NULL)
GROUP BY claim.dataset, claim.attribution, source_id, source.publisher_id
