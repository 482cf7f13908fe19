-- Places by how many claims are about them, so that the same one wears the same colour everywhere; cities apart.
-- Grain: one place with at least one claim.
-- place_rank: Rank by number of claims
SELECT
    entity_id,
    row_number() OVER (PARTITION BY place_kind = 'city' ORDER BY count(*) DESC, entity_id) AS place_rank
FROM observation_figure
WHERE place_kind IN ('world', 'region', 'country', 'city') AND topic <> 'context' AND NOT is_repeat
GROUP BY entity_id, place_kind
ORDER BY entity_id
