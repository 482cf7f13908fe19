-- stage: mart
-- severity: blocking
-- A cell names a country of the list of entities, a role of the list of roles and a source that is described.
SELECT DISTINCT cell.source, cell.role_id, cell.residence, cell.company_country
FROM pay_cell AS cell
LEFT JOIN entity AS home ON home.entity_id = cell.residence AND home.kind = 'country'
LEFT JOIN entity AS office ON office.entity_id = cell.company_country AND office.kind = 'country'
LEFT JOIN salary_role AS role ON role.role_id = cell.role_id
LEFT JOIN pay_source AS described ON described.source = cell.source
WHERE (cell.residence IS NOT NULL AND home.entity_id IS NULL)
    OR (cell.company_country IS NOT NULL AND office.entity_id IS NULL)
    OR (cell.role_id IS NOT NULL AND role.role_id IS NULL)
    OR described.source IS NULL
