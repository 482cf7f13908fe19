-- Which titles the records have, and the role that each stands for or why it stands for none.
-- Grain: one title of one source; a title is missing where too few records had it.
-- state: What it stands for
-- reports: Records as reported
-- postings: Distinct postings
SELECT
    cell.source,
    cell.title,
    CASE WHEN reviewed.title IS NULL THEN cell.role_id ELSE reviewed.role_id END AS role_id,
    reviewed.excluded_because,
    CASE
        WHEN reviewed.role_id IS NOT NULL THEN 'a role, reviewed'
        WHEN reviewed.title IS NOT NULL THEN 'no role, reviewed'
        WHEN cell.role_id IS NOT NULL THEN 'a role, by rule'
        ELSE 'not known'
    END AS state,
    sum(cell.reports)::BIGINT AS reports,
    sum(cell.postings)::BIGINT AS postings
FROM pay_cell AS cell
LEFT JOIN role_title AS reviewed ON reviewed.title = cell.title
GROUP BY ALL
ORDER BY cell.source, reports DESC, cell.title, role_id
