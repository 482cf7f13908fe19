-- Every company that the package lists, with its latest published figures, their dates and who gave them.
-- A company without a figure keeps an empty cell: nothing was found, which is not zero.
-- Grain: one company.
-- company: Company
-- kind: Kind of player
-- country: Country
-- headquarters: Headquarters
-- models: Models named by the sources
-- funding_usd_mn: Money raised (US$ m)
-- funding_period: Date of the money raised
-- funding_publisher: Who gives the money raised
-- valuation_usd_mn: Valuation (US$ m)
-- valuation_period: Date of the valuation
-- valuation_publisher: Who gives the valuation
-- staff: Staff
-- staff_period: Date of the staff
-- staff_publisher: Who gives the staff
WITH latest AS (
    SELECT entity_id, metric_id, harmonised_value, period, publisher
    FROM observation_figure
    WHERE dataset = 'company_figure' AND NOT is_repeat AND segment IS NULL AND status <> 'forecast'
    QUALIFY row_number() OVER (PARTITION BY entity_id, metric_id ORDER BY year DESC, basis IS NOT NULL, period DESC, claim_id) = 1
),

built AS (
    SELECT company_id, string_agg(model, ', ' ORDER BY model) AS models
    FROM company_model
    GROUP BY company_id
)

SELECT
    company.company_id,
    company.name AS company,
    company.kind,
    company.headquarters,
    company.city_id,
    company.country_id,
    country.name AS country,
    company.founded_year,
    built.models,
    funding.harmonised_value AS funding_usd_mn,
    funding.period AS funding_period,
    funding.publisher AS funding_publisher,
    valuation.harmonised_value AS valuation_usd_mn,
    valuation.period AS valuation_period,
    valuation.publisher AS valuation_publisher,
    staff.harmonised_value AS staff,
    staff.period AS staff_period,
    staff.publisher AS staff_publisher,
    company.source_id,
    coalesce(publisher.name, 'Firm not named') AS publisher,
    source.published,
    source.url,
    company.note
FROM company
JOIN source USING (source_id)
LEFT JOIN publisher USING (publisher_id)
LEFT JOIN entity AS country ON country.entity_id = company.country_id
LEFT JOIN built USING (company_id)
LEFT JOIN latest AS funding ON funding.entity_id = company.company_id AND funding.metric_id = 'company_funding'
LEFT JOIN latest AS valuation ON valuation.entity_id = company.company_id AND valuation.metric_id = 'company_valuation'
LEFT JOIN latest AS staff ON staff.entity_id = company.company_id AND staff.metric_id = 'company_staff'
ORDER BY company.company_id
