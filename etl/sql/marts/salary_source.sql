-- Every source of pay records with the publication that it is: what charts of records need to name it.
-- Grain: one source of records.
-- name: Name
-- publisher: Publisher
-- url: Address
SELECT
    described.source,
    described.name,
    described.records_are,
    described.measures,
    source.source_id,
    source.publisher,
    source.published,
    source.url
FROM pay_source AS described
JOIN source_card AS source USING (source_id)
ORDER BY described.source
