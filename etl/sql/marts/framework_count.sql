-- How popular each framework is as one source counts it by one signal in one population, period by period: what may be
-- compared. Where a framework has two packages or repositories in a period, the one that was counted longer stands for it.
-- Figures for single places are left out. Downloads are one count with a break, unless their source counts them in two ways
-- side by side; all others keep their populations apart, surveys their questions too, because each was answered by other
-- people.
-- A category is called as most tools of its frameworks call theirs.
-- Grain: one framework, count and period.
-- framework: Framework
-- category: Category
-- framework_rank: Rank by number of signals
-- signal_id: Count
-- signal: Signal and who counts it
-- metric_label: Signal
-- metric_rank: Rank of the signal by number of figures
-- excludes: What the signal does not measure
-- position: Year as a number
-- count_rank: Rank
-- counted: Names counted
WITH side_by_side AS (
    SELECT publisher
    FROM framework_signal
    WHERE metric_id = 'monthly_downloads'
    GROUP BY publisher, series, period
    HAVING count(DISTINCT population) > 1
),

world AS (
    SELECT
        *,
        CASE
            WHEN metric_id = 'monthly_downloads' AND publisher NOT IN (FROM side_by_side) THEN ''
            ELSE coalesce(population, '')
        END AS audience,
        CASE WHEN metric_id LIKE 'survey_%' THEN coalesce(series, '') ELSE '' END AS question
    FROM framework_signal
    WHERE place_id IS NULL AND segment IS NULL AND metric_id NOT IN ('paper_mentions', 'posting_mentions')
),

named AS (
    SELECT
        metric_id, publisher, audience, question,
        count(DISTINCT entity_id) AS names,
        count(*) AS figures,
        -- Who was asked what has to be said only where the same source asked several groups or several questions.
        min(audience) OVER (PARTITION BY metric_id, publisher) <> max(audience) OVER (PARTITION BY metric_id, publisher)
            AS has_audiences,
        count(*) OVER (PARTITION BY metric_id, publisher, audience) > 1 AS has_questions
    FROM world
    GROUP BY metric_id, publisher, audience, question
),

worded AS (
    SELECT
        *,
        CASE WHEN has_questions THEN trim(replace(question, split_part(publisher, '.', 1), '')) END AS about,
        CASE WHEN has_audiences THEN ltrim(replace(replace(audience, publisher, ''), 'Python package downloads', ''), ' ,')
        END AS among
    FROM named
    WHERE names > 1
),

signals AS (
    SELECT
        metric_id, publisher, audience, question,
        trim(lower(regexp_replace(
            concat_ws('-', metric_id, publisher, about, among), '[^a-zA-Z0-9]+', '-', 'g'
        )), '-') AS signal_id,
        metric.label || ', ' || publisher || coalesce(': ' || nullif(concat_ws(', ', about, among), ''), '') AS signal,
        metric.excludes,
        sum(figures) OVER (PARTITION BY metric_id) AS metric_figures
    FROM worded
    JOIN metric USING (metric_id)
),

renown AS (
    SELECT
        entity_id,
        row_number() OVER (ORDER BY count(DISTINCT metric_id) DESC, count(DISTINCT publisher || audience) DESC, count(*) DESC, entity_id) AS framework_rank
    FROM world
    GROUP BY entity_id
),

followed AS (
    SELECT *, count(*) OVER (PARTITION BY signal_id, entity_id, series) AS times_counted
    FROM world
    JOIN signals USING (metric_id, publisher, audience, question)
),

kinds AS (
    SELECT framework.category, coalesce(mode(tool.category ORDER BY tool.category), framework.category) AS kind
    FROM framework
    LEFT JOIN tool USING (tool_id)
    GROUP BY framework.category
),

single AS (
    SELECT *
    FROM followed
    QUALIFY row_number() OVER (PARTITION BY signal_id, entity_id, period ORDER BY times_counted DESC, series, claim_id) = 1
)

SELECT
    claim_id, source_id, signal_id, signal, metric_id, metric_label,
    dense_rank() OVER (ORDER BY metric_figures DESC, metric_id) AS metric_rank,
    excludes, unit_id, entity_id, framework, kinds.kind AS category, tool_id, framework_rank, period, year,
    -- A month stands at its beginning, a year without a month at its number.
    year + coalesce((TRY_CAST(nullif(substr(period, 6, 2), '') AS INTEGER) - 1) / 12.0, 0) AS position,
    population, series, value, attribution, publisher, published, url, note,
    rank() OVER (PARTITION BY signal_id, period, population ORDER BY value DESC) AS count_rank,
    count(*) OVER (PARTITION BY signal_id, period, population) AS counted
FROM single
JOIN renown USING (entity_id)
JOIN kinds USING (category)
ORDER BY signal_id, entity_id, period
