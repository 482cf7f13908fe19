-- Lists that name cities or countries, each with its newest figure of a place. A list is one publisher's count of one
-- thing, so that its figures can be set side by side. The price level of a city outside the United States is that of
-- its country, PPP factor / exchange rate as in country_profile; `area` says what a figure really describes.
-- Grain: one place and list.
-- list_id: List id
-- list_label: List
-- measure: What is measured
-- country_id: Country id
-- country: Country
-- area: Area described
-- part: Part of the ranking
-- shown_value: Value compared
-- shown_unit_id: Id of the unit compared
-- shown_unit: Unit compared
-- age_years: Age (years)
-- is_computed: Computed from the published value
-- rate_publisher: Publisher of the exchange rate
WITH area AS (
    SELECT claim_id, area_basis FROM observation WHERE area_basis IS NOT NULL
),

rate_source AS (
    SELECT currency, rate_year, lcu_per_usd, min(rate_source_id) AS rate_source_id
    FROM (
        SELECT currency, rate_year, lcu_per_usd, rate_source_id FROM usd_rate WHERE currency <> 'USD'
        UNION
        SELECT country.currency_code, CAST(left(figure.period, 4) AS BIGINT), figure.value, figure.source_id
        FROM observation AS figure
        JOIN country USING (entity_id)
        WHERE figure.metric_id = 'exchange_rate' AND figure.repeats_claim_id IS NULL
    )
    GROUP BY currency, rate_year, lcu_per_usd
),

stated AS (
    SELECT
        figure.*,
        figure.metric_label || coalesce(': ' || figure.segment, '')
        || CASE WHEN figure.dataset = 'us_metro' OR figure.segment IS NOT NULL AND figure.place_kind = 'city' THEN ''
            ELSE coalesce(' (' || figure.population || ')', '') END
        || coalesce(' (' || figure.series || ')', '') AS measure,
        CASE
            WHEN figure.dataset = 'us_metro' THEN figure.population
            WHEN area.area_basis = 'metro' THEN 'metropolitan area'
            ELSE figure.place_kind
        END AS area,
        figure.harmonised_value AS shown_value,
        figure.harmonised_unit_id AS shown_unit_id,
        figure.harmonised_unit AS shown_unit
    FROM observation_figure AS figure
    LEFT JOIN area USING (claim_id)
    WHERE figure.place_kind IN ('city', 'country') AND figure.status <> 'forecast'
        AND figure.topic IN ('hubs', 'workforce', 'investment', 'careers', 'adoption')
        AND NOT figure.is_repeat AND figure.attribution <> 'misquoted' AND figure.harmonised_value IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY figure.entity_id, measure, figure.publisher
        ORDER BY figure.year DESC, figure.period DESC, figure.published DESC NULLS LAST, figure.claim_id
    ) = 1
),

priced AS (
    SELECT
        figure.*,
        figure.population AS area,
        figure.value AS shown_value,
        figure.unit_id AS shown_unit_id,
        figure.unit_label AS shown_unit
    FROM observation_figure AS figure
    WHERE figure.metric_id = 'price_parity' AND NOT figure.is_repeat
    UNION ALL BY NAME
    SELECT
        figure.* REPLACE (
            place.entity_id AS entity_id, place.name AS place, place.kind AS place_kind,
            country.price_level_rate AS rate_used, country.price_level_rate_year AS rate_year,
            rate_source.rate_source_id AS rate_source_id
        ),
        country.country || ', the whole country' AS area,
        100 * country.price_level AS shown_value,
        own_unit.unit_id AS shown_unit_id,
        own_unit.label AS shown_unit
    FROM country_profile AS country
    JOIN latest_figure AS latest ON latest.entity_id = country.entity_id AND latest.metric_id = 'ppp_factor'
    JOIN observation_figure AS figure USING (claim_id)
    JOIN unit AS own_unit ON own_unit.unit_id = 'us_100'
    JOIN entity AS place ON country.entity_id IN (place.entity_id, place.parent_id)
    LEFT JOIN rate_source ON rate_source.currency = country.currency_code
        AND rate_source.rate_year = country.price_level_rate_year AND rate_source.lcu_per_usd = country.price_level_rate
    -- Places that some list names; a city of the United States has the price level of its own metropolitan area or none.
    WHERE country.price_level IS NOT NULL AND place.entity_id IN (SELECT entity_id FROM stated)
        AND (place.kind = 'country' OR (place.kind = 'city' AND country.entity_id <> 'USA'))
),

part (metric_id, part) AS (
    VALUES
        ('yc_startups', 'startups'), ('ai_companies', 'startups'), ('ai_startups', 'startups'),
        ('genai_startups', 'startups'), ('ai_unicorns', 'startups'),
        ('tech_workers', 'talent'), ('ai_workers', 'talent'), ('occupation_employment', 'talent'),
        ('ai_job_openings', 'talent'), ('ai_institutions', 'talent'),
        ('ai_unicorn_valuation', 'funding'), ('ai_vc_funding', 'funding'), ('genai_vc_funding', 'funding'),
        ('average_salary', 'pay'), ('occupation_pay_median', 'pay'), ('advertised_salary_median', 'pay'),
        ('price_parity', 'cost'), ('ppp_factor', 'cost')
),

listed AS (
    SELECT
        *,
        CASE WHEN contains(measure, publisher) THEN measure ELSE measure || ', ' || publisher END AS list_label,
        FALSE AS is_computed
    FROM stated
    UNION ALL BY NAME
    SELECT
        *, 'Price level' AS measure, 'Price level' AS list_label, metric_id = 'ppp_factor' AS is_computed
    FROM priced
)

SELECT
    trim(regexp_replace(lower(listed.list_label), '[^a-z0-9]+', '-', 'g'), '-') AS list_id,
    listed.list_label,
    listed.measure,
    listed.claim_id,
    listed.source_id,
    listed.metric_id,
    listed.entity_id,
    listed.place,
    listed.place_kind,
    coalesce(country.entity_id, listed.entity_id) AS country_id,
    coalesce(country.name, listed.place) AS country,
    city.latitude,
    city.longitude,
    part.part,
    listed.area,
    listed.value,
    listed.bound,
    listed.unit_label,
    listed.shown_value,
    listed.shown_unit_id,
    listed.shown_unit,
    listed.is_computed,
    listed.rate_used,
    listed.rate_year,
    rate_publisher.name AS rate_publisher,
    listed.period,
    listed.year,
    (SELECT max(left(published, 4))::BIGINT FROM source) - listed.year AS age_years,
    listed.publisher,
    listed.publisher_rank,
    listed.published,
    listed.attribution,
    listed.url,
    listed.note
FROM listed
JOIN entity USING (entity_id)
LEFT JOIN entity AS country ON country.entity_id = entity.parent_id AND entity.kind = 'city'
LEFT JOIN city ON city.entity_id = listed.entity_id
LEFT JOIN part USING (metric_id)
LEFT JOIN source AS rate ON rate.source_id = listed.rate_source_id
LEFT JOIN publisher AS rate_publisher ON rate_publisher.publisher_id = rate.publisher_id
ORDER BY list_id, listed.entity_id
