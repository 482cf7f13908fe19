-- Every measured share of job postings, with the role that hires and the skills of the road map that it speaks of.
-- A skill is meant by name, or through a tool that the guide itself names for it (PyTorch: framework basics).
-- Grain: one claim.
-- role: Role
-- asked_for: What the postings name
-- sample: Postings counted
-- work: Part of the sample
-- sample_place: Place of the postings
-- skill: Skill of the road map
-- skills: Skills of the road map, tools included
-- skill_ids: Skills of the road map, tools included (ids)
WITH named AS (
    SELECT claim_id, skill_id
    FROM role_skill
    WHERE skill_id IS NOT NULL
    UNION
    SELECT role_skill.claim_id, skill_tool.skill_id
    FROM role_skill
    JOIN skill_tool USING (tool_id)
    WHERE skill_tool.named_by_source
),

spoken AS (
    SELECT
        named.claim_id,
        list(skill.skill ORDER BY skill.category_order, skill.level_order, skill.skill_id) AS skills,
        list(skill.skill_id ORDER BY skill.category_order, skill.level_order, skill.skill_id) AS skill_ids
    FROM named
    JOIN skill USING (skill_id)
    GROUP BY named.claim_id
)

SELECT
    figure.claim_id,
    figure.source_id,
    figure.publisher,
    figure.publisher_rank,
    figure.attribution,
    figure.metric_id,
    figure.metric_label,
    figure.entity_id AS role_id,
    figure.place AS role,
    figure.segment AS asked_for,
    figure.period,
    figure.value,
    figure.unit_label,
    figure.population AS sample,
    figure.series AS work,
    role_skill.sample_size,
    role_skill.place_id,
    sample_place.name AS sample_place,
    role_skill.skill_id,
    skill.skill,
    spoken.skills,
    spoken.skill_ids,
    role_skill.tool_id,
    figure.published,
    figure.url,
    figure.is_repeat,
    figure.note
FROM observation_figure AS figure
JOIN role_skill USING (claim_id)
LEFT JOIN skill USING (skill_id)
LEFT JOIN spoken USING (claim_id)
LEFT JOIN entity AS sample_place ON sample_place.entity_id = role_skill.place_id
ORDER BY figure.claim_id
