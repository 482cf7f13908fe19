-- The skills by category and level, with the tools that go with each and how often postings ask for it.
-- Grain: one skill.
-- tools: Tools
-- postings: Highest share of postings that name it (%)
-- roles: Roles whose postings name it
WITH asked AS (
    SELECT
        role_skill.skill_id,
        max(role_skill.value) AS postings,
        list(DISTINCT entity.name ORDER BY entity.name) AS roles
    FROM role_skill
    JOIN entity USING (entity_id)
    WHERE role_skill.metric_id = 'skill_share_of_postings' AND role_skill.repeats_claim_id IS NULL
    GROUP BY role_skill.skill_id
),

tooled AS (
    SELECT
        skill_tool.skill_id,
        list({'tool_id': tool.tool_id, 'name': tool.name, 'named_by_source': skill_tool.named_by_source} ORDER BY NOT skill_tool.named_by_source, tool.name)
            AS tools
    FROM skill_tool
    JOIN tool USING (tool_id)
    GROUP BY skill_tool.skill_id
)

SELECT
    skill.skill_id,
    skill.skill,
    skill.category,
    skill.category_order,
    skill.level,
    skill.level_order,
    skill.description,
    skill.in_matrix,
    tooled.tools,
    asked.postings,
    asked.roles,
    skill.source_id
FROM skill
LEFT JOIN tooled USING (skill_id)
LEFT JOIN asked USING (skill_id)
ORDER BY skill.category_order, skill.level_order, skill.skill_id
