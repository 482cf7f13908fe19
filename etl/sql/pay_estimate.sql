-- What the pay model knows before it is asked for a year, place of work or size: run once the model is fitted.
-- Reads pay_effect and pay_spread, the scores of the model, the cells, the roles and the places. A role, or a role and
-- level, that the model does not know adds nothing and has the spread of the wider group, as in `PayModel`.
-- Grain: one role, level and country.
WITH near AS (
    SELECT role_id, experience, company_country, sum(postings)::INTEGER AS postings
    FROM salary_cell
    WHERE source = 'aijobs'
    GROUP BY ALL
),

asked AS (
    SELECT
        role.role_id,
        role.name AS role,
        level.term_level AS experience,
        here.term_level AS company_country,
        place.name AS country,
        coalesce(near.postings, 0) AS postings,
        CASE
            WHEN here.term_level = 'USA' THEN 'us' WHEN here.postings < 10 THEN 'unseen' ELSE 'seen'
        END AS place_kind,
        CASE
            WHEN here.postings < 10 THEN 'country unseen'
            WHEN coalesce(near.postings, 0) = 0 THEN 'none'
            WHEN near.postings < 10 THEN 'under 10'
            WHEN near.postings < 30 THEN '10 to 29'
            ELSE '30 or more'
        END AS stratum,
        coalesce(of_role.effect, 0) + level.effect + coalesce(of_both.effect, 0) + here.effect AS effect
    FROM salary_role AS role
    JOIN pay_effect AS level ON level.term = 'experience'
    JOIN pay_effect AS here ON here.term = 'company_country'
    JOIN entity AS place ON place.entity_id = here.term_level
    LEFT JOIN pay_effect AS of_role ON of_role.term = 'role_id' AND of_role.term_level = role.role_id
    LEFT JOIN pay_effect AS of_both
        ON of_both.term = 'role_id and experience' AND of_both.term_level = role.role_id || ' ' || level.term_level
    LEFT JOIN near
        ON near.role_id = role.role_id
        AND near.experience = level.term_level
        AND near.company_country = here.term_level
)

SELECT
    asked.role_id,
    asked.role,
    asked.experience,
    asked.company_country,
    asked.country,
    asked.postings,
    asked.stratum,
    asked.effect,
    coalesce(own.p10, wider.p10) AS p10,
    coalesce(own.p25, wider.p25) AS p25,
    coalesce(own.median, wider.median) AS median,
    coalesce(own.p75, wider.p75) AS p75,
    coalesce(own.p90, wider.p90) AS p90,
    score.is_better,
    score.within_10_90,
    score.within_25_75,
    score.margin_p10,
    score.margin_p25,
    score.margin_median,
    score.margin_p75,
    score.margin_p90
FROM asked
JOIN pay_spread AS wider USING (place_kind, experience)
JOIN pay_model_score AS score USING (stratum)
LEFT JOIN pay_spread AS own
    ON own.place_kind = asked.place_kind AND own.experience = asked.experience AND own.role_id = asked.role_id
WHERE wider.role_id = ''
ORDER BY asked.role_id, asked.experience, asked.company_country
