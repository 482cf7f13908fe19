-- Every published pay statistic with the names that a reader sees, and in US dollars at the rate of its year.
-- A value that the source itself prints in dollars is taken as printed; the rate of a conversion stands in the row.
-- Grain: one pay claim.
-- role: Role
-- place: Place
-- publisher: Publisher
-- usd_value: Yearly pay (US$)
-- rate_used: Units of the currency per US dollar
-- rate_year: Year of the rate
-- is_repeat: Repeats another claim
-- url: Address
WITH stated AS (
    SELECT 'salary' AS dataset, * FROM salary
    UNION ALL BY NAME
    SELECT 'salary_stackoverflow' AS dataset, * FROM salary_stackoverflow
),

converted AS (
    SELECT stated.claim_id, rate.lcu_per_usd AS rate_used, rate.rate_year, rate.rate_source_id
    FROM stated
    JOIN usd_rate AS rate USING (currency)
    WHERE stated.value_usd IS NULL AND stated.currency <> 'USD'
    QUALIFY row_number() OVER (
        PARTITION BY stated.claim_id
        ORDER BY abs(rate.rate_year - coalesce(stated.year, rate.rate_year)), rate.rate_year DESC
    ) = 1
)

SELECT
    stated.claim_id,
    stated.dataset,
    stated.source_id,
    coalesce(publisher.name, 'Firm not named') AS publisher,
    stated.attribution,
    stated.role_id,
    role.name AS role,
    stated.role_group,
    stated.specialisation,
    stated.experience_level,
    stated.experience_label,
    stated.entity_id,
    place.name AS place,
    place.kind AS place_kind,
    stated.year,
    stated.statistic,
    stated.value,
    stated.currency,
    coalesce(
        stated.value_usd,
        CASE WHEN stated.currency = 'USD' THEN stated.value ELSE stated.value / converted.rate_used END
    ) AS usd_value,
    converted.rate_used,
    converted.rate_year,
    converted.rate_source_id,
    stated.compensation_kind,
    stated.sample_size,
    stated.basis,
    stated.bound,
    stated.tier,
    source.published,
    source.url,
    stated.repeats_claim_id IS NOT NULL AS is_repeat,
    stated.note
FROM stated
JOIN source USING (source_id)
JOIN entity AS role ON role.entity_id = stated.role_id
JOIN entity AS place ON place.entity_id = stated.entity_id
LEFT JOIN publisher USING (publisher_id)
LEFT JOIN converted USING (claim_id)
ORDER BY stated.claim_id
