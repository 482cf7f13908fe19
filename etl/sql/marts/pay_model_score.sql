-- How well the pay model told pay that it had not seen, by how many postings of the same role, level and country
-- the fit saw. It is used where it beats the quantiles of groups in every backtest. The margins are those of the
-- backtest before the last, so that the last one tells whether they hold.
-- Grain: one stratum.
-- stratum: Postings of the same role, level and country
-- is_better: Beats the quantiles of groups
-- model_loss_usd: Mean pinball loss of the model (US$)
-- group_loss_usd: Mean pinball loss of the groups' quantiles (US$)
-- margin_fitted_on: Margins fitted on the file of
WITH scored AS (
    SELECT
        model.*,
        back_off.pinball_usd AS group_loss_usd,
        row_number() OVER (PARTITION BY model.stratum ORDER BY model.fitted_on DESC) AS age
    FROM pay_backtest AS model
    JOIN pay_backtest AS back_off
        ON back_off.fitted_on = model.fitted_on AND back_off.stratum = model.stratum AND back_off.method = 'back-off'
    WHERE model.method = 'model'
)

SELECT
    stratum,
    bool_and(pinball_usd < group_loss_usd) AS is_better,
    any_value(fitted_on) FILTER (age = 1) AS fitted_on,
    any_value(scored_on) FILTER (age = 1) AS scored_on,
    any_value(scored_postings) FILTER (age = 1) AS scored_postings,
    any_value(pinball_usd) FILTER (age = 1) AS model_loss_usd,
    any_value(group_loss_usd) FILTER (age = 1) AS group_loss_usd,
    any_value(within_10_90) FILTER (age = 1) AS within_10_90,
    any_value(within_25_75) FILTER (age = 1) AS within_25_75,
    any_value(within_margin) FILTER (age = 1) AS within_margin,
    any_value(fitted_on) FILTER (age = 2) AS margin_fitted_on,
    any_value(margin_p10) FILTER (age = 2) AS margin_p10,
    any_value(margin_p25) FILTER (age = 2) AS margin_p25,
    any_value(margin_median) FILTER (age = 2) AS margin_median,
    any_value(margin_p75) FILTER (age = 2) AS margin_p75,
    any_value(margin_p90) FILTER (age = 2) AS margin_p90,
    any_value(source_id) FILTER (age = 1) AS source_id,
    any_value(fitted_source_id) FILTER (age = 1) AS fitted_source_id
FROM scored
GROUP BY stratum
ORDER BY stratum
