-- The effect of AI on work, one row a result, signed so that positive is always an improvement.
-- Grain: one outcome of one study for one group, measured, expected or perceived.
-- authors: Authors
-- gain_pct: Gain (%)
-- gain_low_pct: Lower end (%)
-- gain_high_pct: Upper end (%)
-- attribution: How it was read
-- carrier: Carrier
-- url: Address
SELECT
    study.study_id,
    study.study,
    publisher.name AS authors,
    publisher.name AS publisher,
    study.published,
    study.design,
    study.setting,
    study.participants,
    study.n,
    study.n_bound,
    study.outcome,
    study.outcome_kind,
    study."group",
    study.kind,
    study.effect_pct,
    study.interval_low,
    study.interval_high,
    CASE study.better WHEN 'lower' THEN -study.effect_pct ELSE study.effect_pct END AS gain_pct,
    CASE study.better WHEN 'lower' THEN -study.interval_high ELSE study.interval_low END AS gain_low_pct,
    CASE study.better WHEN 'lower' THEN -study.interval_low ELSE study.interval_high END AS gain_high_pct,
    study.claim_id,
    study.source_id,
    claimed.attribution,
    source.carrier,
    source.url,
    study.note
FROM study
JOIN publisher USING (publisher_id)
JOIN source ON source.source_id = study.source_id
JOIN adoption AS claimed ON claimed.claim_id = study.claim_id
ORDER BY study.study_id
