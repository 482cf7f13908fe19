-- Every place, with the region that it lies in.
-- Grain: one world, region, country or city.
-- place: Place
-- place_kind: Kind of place
-- region: Region
-- region_id: Region id
SELECT
    place.entity_id,
    place.name AS place,
    place.kind AS place_kind,
    region.entity_id AS region_id,
    region.name AS region
FROM entity AS place
LEFT JOIN entity AS region ON region.entity_id = place.parent_id
WHERE place.kind IN ('world', 'region', 'country', 'city')
ORDER BY place.entity_id
