-- Every source with its publisher's name, its licence and what it contributed.
-- Grain: one publication as read at one address.
-- publisher: Publisher
-- licence: Licence or terms
-- licence_url: Address of the terms
-- attribution: How it was read
-- topics: Topics
-- claims: Claims
-- repeats: Repeats
WITH contributed AS (
    SELECT
        source_id,
        count(*) AS claims,
        count(*) FILTER (is_repeat) AS repeats,
        string_agg(DISTINCT attribution, ', ' ORDER BY attribution) AS attribution,
        string_agg(DISTINCT topic, ', ' ORDER BY topic) AS topics
    FROM claim
    GROUP BY source_id
)

SELECT
    source.source_id,
    coalesce(publisher.name, 'Firm not named') AS publisher,
    source.title,
    source.published,
    source.url,
    source.carrier,
    source.kind,
    source.opened,
    coalesce(contributed.attribution, '') AS attribution,
    coalesce(contributed.topics, '') AS topics,
    coalesce(contributed.claims, 0) AS claims,
    coalesce(contributed.repeats, 0) AS repeats,
    licence.licence_id,
    licence.name AS licence,
    licence.terms_class,
    licence.url AS licence_url,
    licence.attribution_text,
    source.note
FROM source
JOIN licence USING (licence_id)
LEFT JOIN publisher USING (publisher_id)
LEFT JOIN contributed USING (source_id)
ORDER BY source.source_id
