-- stage: package
-- severity: blocking
-- The coordinates of a city lie in the bounds of its country, give or take the width of an island (0.6 degrees).
SELECT 'city', city._row, 'latitude',
    format('{}, {} lies outside of {}; are latitude and longitude swapped?', city.latitude, city.longitude, entity.parent_id)
FROM city
JOIN entity USING (entity_id)
JOIN country ON country.entity_id = entity.parent_id
WHERE city.latitude NOT BETWEEN country.min_latitude - 0.6 AND country.max_latitude + 0.6
    OR city.longitude NOT BETWEEN country.min_longitude - 0.6 AND country.max_longitude + 0.6
