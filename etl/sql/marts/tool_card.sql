-- The tools with the skills that they serve and, where somebody counts them, their newest stars and downloads.
-- Grain: one tool.
-- skills: Skills
-- skill_names: Skills in words
-- downloads: Downloads in a month
-- downloads_period: Month of the downloads
-- stars: GitHub stars
-- stars_period: Month of the stars
-- framework_id: Name under which it is counted
-- signals: Signals that count it
WITH newest AS (
    SELECT tool_id, entity_id, metric_id, value, period
    FROM framework_count
    WHERE tool_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY tool_id, metric_id ORDER BY period DESC, value DESC, claim_id) = 1
),

popularity AS (
    SELECT
        tool_id,
        min(entity_id) AS framework_id,
        count(*) AS signals,
        max(value) FILTER (metric_id = 'monthly_downloads') AS downloads,
        max(period) FILTER (metric_id = 'monthly_downloads') AS downloads_period,
        max(value) FILTER (metric_id = 'github_stars') AS stars,
        max(period) FILTER (metric_id = 'github_stars') AS stars_period
    FROM newest
    GROUP BY tool_id
),

served AS (
    SELECT
        tool_id,
        list(skill_id ORDER BY skill) AS skills,
        list(skill ORDER BY skill) AS skill_names
    FROM skill_tool
    JOIN skill USING (skill_id)
    GROUP BY tool_id
)

SELECT
    tool.*,
    coalesce(served.skills, []) AS skills,
    coalesce(served.skill_names, []) AS skill_names,
    popularity.framework_id,
    coalesce(popularity.signals, 0) AS signals,
    popularity.downloads,
    popularity.downloads_period,
    popularity.stars,
    popularity.stars_period
FROM tool
LEFT JOIN served USING (tool_id)
LEFT JOIN popularity USING (tool_id)
ORDER BY tool_id
