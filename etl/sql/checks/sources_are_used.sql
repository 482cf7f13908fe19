-- stage: mart
-- severity: warning
-- Every source stands behind at least one claim or one description.
SELECT source_id, publisher
FROM source_card
WHERE claims = 0 AND source_id NOT IN (
    SELECT source_id FROM tool
    UNION ALL SELECT second_source_id FROM tool WHERE second_source_id IS NOT NULL
    UNION ALL SELECT source_id FROM company
    UNION ALL SELECT source_id FROM company_model
    UNION ALL SELECT source_id FROM skill
    UNION ALL SELECT source_id FROM role_item
    UNION ALL SELECT source_id FROM exchange_rate
    UNION ALL SELECT source_id FROM pay_source
    UNION ALL SELECT source_id FROM live_source
    UNION ALL SELECT fitted_source_id FROM pay_backtest
    UNION ALL SELECT source_id FROM country WHERE source_id IS NOT NULL
    UNION ALL SELECT source_id FROM city WHERE source_id IS NOT NULL
    UNION ALL SELECT population_source_id FROM city WHERE population_source_id IS NOT NULL
    UNION ALL SELECT geonames_source_id FROM city WHERE geonames_source_id IS NOT NULL
    UNION ALL SELECT bounds_source_id FROM country WHERE bounds_source_id IS NOT NULL
)
