-- The use of AI by year, place and population, in the order in which a line would be drawn; a change of question breaks it.
-- Grain: one observation on adoption (effects of AI on work are in study_effect).
-- metric_label: Metric
-- place: Place
-- unit_label: Unit
-- publisher: Publisher
-- line: Line that the figure belongs to
-- url: Address
SELECT
    claim_id, source_id, publisher, publisher_rank, attribution, metric_id, metric_label, entity_id, place, place_kind,
    period, year, segment, population, series, value, unit_id, unit_label, status, published, url, note,
    concat_ws(' | ', publisher, metric_id, entity_id, segment, population, series) AS line
FROM observation_figure
WHERE topic = 'adoption' AND NOT is_repeat AND metric_id NOT LIKE 'ai_effect_%'
    AND metric_id NOT IN ('task_minutes', 'task_completion_rate')
ORDER BY line, period, claim_id
