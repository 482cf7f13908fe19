-- Publishers by how many claims they made themselves, so that the same one wears the same colour everywhere.
-- Grain: one publisher with at least one claim of its own.
-- publisher_rank: Rank by number of claims
-- own_claims: Own claims
WITH own AS (
    SELECT source_id, claim_id FROM forecast WHERE repeats_claim_id IS NULL
    UNION ALL
    SELECT source_id, claim_id FROM observation WHERE repeats_claim_id IS NULL AND dataset = 'investment'
)

SELECT
    source.publisher_id,
    count(*) AS own_claims,
    row_number() OVER (ORDER BY count(*) DESC, source.publisher_id) AS publisher_rank
FROM own
JOIN source USING (source_id)
WHERE source.publisher_id IS NOT NULL
GROUP BY source.publisher_id
ORDER BY publisher_rank
