-- stage: mart
-- severity: blocking
-- Every headline shows a figure of an existing claim.
SELECT headline.headline_id, headline.claim_id, headline.field
FROM headline
LEFT JOIN headline_figure AS figure USING (headline_id)
WHERE figure.value IS NULL
