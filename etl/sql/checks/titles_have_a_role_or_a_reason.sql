-- stage: package
-- severity: blocking
-- A job title stands for a role, or for none with a reason; not both.
SELECT
    'role_title' AS "table",
    _row AS row,
    'role_id' AS field,
    'the title ''' || title || ''' needs either a role or a reason why it has none' AS message
FROM role_title
WHERE (role_id IS NULL) = (excluded_because IS NULL)
