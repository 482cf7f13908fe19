-- Pay records of known roles, as cells: the reviewed table of titles decides on the role, else the import did.
-- Grain: one set of coordinates and one pay in thousands of US dollars.
-- role: Role
-- family: Family of roles
-- experience: Experience
-- employment: Employment
-- residence: Country of the worker
-- company_country: Country of the employer
-- country: Country of the employer, of the worker where only that is told
-- remote: Share of remote work (%)
-- company_size: Size of the employer
-- salary_k: Yearly pay (thousand US$)
-- reports: Records as reported
-- paired_reports: Records that are an end of a range
-- postings: Distinct postings
SELECT
    cell.source,
    role.role_id,
    role.name AS role,
    role.family,
    cell.title,
    cell.year,
    cell.experience,
    cell.employment,
    cell.residence,
    cell.company_country,
    coalesce(cell.company_country, cell.residence) AS country,
    cell.remote,
    cell.company_size,
    cell.salary_k,
    cell.reports::INTEGER AS reports,
    cell.paired_reports::INTEGER AS paired_reports,
    cell.postings::INTEGER AS postings
FROM pay_cell AS cell
LEFT JOIN role_title AS reviewed ON reviewed.title = cell.title
JOIN salary_role AS role
    ON role.role_id = CASE WHEN reviewed.title IS NULL THEN cell.role_id ELSE reviewed.role_id END
ORDER BY
    cell.source, role.position, cell.year, cell.experience, cell.company_country, cell.residence, cell.title,
    cell.employment, cell.remote, cell.company_size, cell.salary_k
