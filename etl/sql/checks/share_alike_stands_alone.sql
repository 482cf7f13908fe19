-- stage: mart
-- severity: blocking
-- A table that holds figures under a share-alike licence holds nothing else, so that it can be passed on under that licence.
SELECT observation.dataset, count(DISTINCT source.licence_id) AS licences
FROM observation
JOIN source USING (source_id)
JOIN licence USING (licence_id)
GROUP BY observation.dataset
HAVING bool_or(licence.terms_class = 'share_alike') AND count(DISTINCT source.licence_id) > 1
