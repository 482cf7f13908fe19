-- Published pay as ranges in US dollars: what one source says of a role, level and place, its ends and its middle,
-- in the newest year that it tells. Statements computed from the records that the project has itself are left out.
-- Grain: one source, role, place, level as the source names it, specialisation and kind of pay.
-- detail: What it is about
-- kind: Kind of pay
-- n: Sample size
-- low: Lower end (US$)
-- low_kind: Lower end is
-- middle: Middle (US$)
-- middle_kind: Middle is
-- high: Upper end (US$)
-- high_kind: Upper end is
-- publisher: Publisher
-- url: Address
SELECT
    min(claim_id) AS claim_id,
    role_id,
    entity_id,
    experience_level,
    source_id,
    publisher,
    published,
    any_value(attribution) AS attribution,
    url,
    year,
    specialisation AS detail,
    compensation_kind AS kind,
    max(sample_size) AS n,
    coalesce(max(usd_value) FILTER (statistic = 'p25'), max(usd_value) FILTER (statistic = 'min')) AS low,
    CASE WHEN bool_or(statistic = 'p25') THEN 'p25' ELSE 'min' END AS low_kind,
    coalesce(max(usd_value) FILTER (statistic = 'median'), max(usd_value) FILTER (statistic = 'mean')) AS middle,
    CASE
        WHEN bool_or(statistic = 'median') THEN 'median' WHEN bool_or(statistic = 'mean') THEN 'mean'
    END AS middle_kind,
    coalesce(max(usd_value) FILTER (statistic = 'p75'), max(usd_value) FILTER (statistic = 'max')) AS high,
    CASE WHEN bool_or(statistic = 'p75') THEN 'p75' ELSE 'max' END AS high_kind
FROM salary_statement
WHERE usd_value IS NOT NULL
    AND NOT is_repeat
    AND statistic NOT IN ('p10', 'p90')
    AND source_id NOT IN (SELECT source_id FROM source WHERE publisher_id = 'ai-jobs-net')
GROUP BY
    role_id, entity_id, experience_level, experience_label, source_id, publisher, published, url, year, specialisation,
    compensation_kind
QUALIFY year IS NOT DISTINCT FROM max(year) OVER (
    PARTITION BY role_id, entity_id, experience_level, publisher, specialisation, compensation_kind
)
ORDER BY claim_id
