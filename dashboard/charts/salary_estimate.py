"""What one would earn: quantiles for one choice, estimated, or observed where the model is no better."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    counted,
    hover_data,
    legend_below,
    records,
    title_above,
    wrapped,
)
from dashboard.charts.salaries import (
    LEAST,
    REMOTES,
    SENIORITIES,
    SIZES,
    Remote,
    Seniority,
    Size,
    dollars,
    interval_bars,
    listed_sql,
    pay_at,
    pay_quantile,
)

QUANTILES = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
KINDS = {
    "estimate": "Estimate",
    "group": "Observed, same role, level and country",
    "choice": "Observed, this very choice",
}
COLORS = {"estimate": theme.BLUE, "group": theme.BLUE, "choice": theme.VERMILION}


class EstimateFilters(Filters):
    """Who asks."""

    my_role: Annotated[
        str,
        Control(
            "Role", "SELECT role_id, name FROM salary_role ORDER BY position", is_primary=True, width=260
        ),
    ] = "role-ai-engineer"
    my_level: Annotated[Seniority, Control("Experience", labels=SENIORITIES, is_primary=True)] = "SE"
    my_country: Annotated[
        str,
        Control(
            "Employer in",
            "SELECT term_level, name FROM pay_effect JOIN entity ON entity_id = term_level "
            "WHERE term = 'company_country' ORDER BY name",
            help="Any country whose income or prices are known, whether there are postings or not.",
            is_primary=True,
            width=220,
        ),
    ] = "DEU"
    my_year: Annotated[
        str,
        Control(
            "Year",
            "SELECT term_level, term_level AS label FROM pay_effect WHERE term = 'year' "
            "ORDER BY term_level DESC",
            width=120,
        ),
    ] = "2025"
    my_works: Annotated[Remote, Control("Place of work", labels=REMOTES)] = "0"
    my_size: Annotated[Size, Control("Size of the employer", labels=SIZES)] = "M"


def _words(row: Any) -> str:
    """One quantile as hover text."""
    sure = "95% interval" if row.kind != "estimate" else "margin"
    ends = f", {sure} {_between(row)}" if _between(row) else ""
    share = "Median" if row.quantile == 0.5 else f"{row.quantile:.0%} are paid less than"
    return f"{wrapped(KINDS[row.kind], 46)}<br>{share} {dollars(row.value)}{ends}<br>n = {row.n:,.0f}"


def _between(row: Any) -> str:
    if pd.notna(row.lower) and pd.notna(row.upper):
        return f"{dollars(row.lower)}–{dollars(row.upper)}"
    return ""


def _estimate(frame: pd.DataFrame, filters: EstimateFilters) -> go.Figure:
    """A row a quantile, from the highest down; rings joined by dots are an estimate, dots are observed."""
    figure = go.Figure()
    paid = frame[frame["kind"].isin(KINDS)]
    shares = sorted(QUANTILES.values(), reverse=True)
    kinds = list(dict.fromkeys(paid["kind"]))
    for place, kind in enumerate(kinds):
        rows = paid[paid["kind"] == kind]
        height = [shares.index(each) + (place - (len(kinds) - 1) / 2) * 0.3 for each in rows["quantile"]]
        is_estimate, color = kind == "estimate", COLORS[kind]
        figure.add_scatter(
            x=rows["value"],
            y=height,
            name=f"{KINDS[kind]} (n={rows['n'].iloc[0]:,.0f})",
            mode="lines+markers+text",
            text=[dollars(each) for each in rows["value"]] if place == 0 else None,
            textposition="top left",
            cliponaxis=False,
            line={"color": color, "width": 1.5, "dash": "dot" if is_estimate else "solid"},
            marker={
                "size": [12 if each == 0.5 else 9 for each in rows["quantile"]],
                "color": color,
                "symbol": "circle-open" if is_estimate else "circle",
                "line": {"width": 2, "color": color},
            },
            error_x=interval_bars(rows, "value"),
            customdata=hover_data(rows, _words),
            hovertemplate=HOVER,
        )
    legend_below(figure, room=80)
    figure.update_yaxes(
        tickvals=list(range(len(shares))),
        ticktext=["Median" if each == 0.5 else f"{each:.0%} earn less" for each in shares],
        range=[len(shares) - 0.4, -0.7],
        showgrid=False,
        zeroline=False,
    )
    top = float(paid[["value", "upper"]].max().max())
    figure.update_xaxes(
        range=[0, top * 1.04], tickprefix="$", tickformat="~s", nticks=6, tickangle=0, showgrid=True
    )
    title_above(figure, "Yearly pay, US$")
    return figure


def _takeaway(frame: pd.DataFrame, filters: EstimateFilters) -> str:
    middles = {row.kind: row for row in records(frame[frame["quantile"] == 0.5])}
    who = (
        f"{frame['role'].iloc[0]}, {SENIORITIES[filters.my_level].lower()} level, {frame['country'].iloc[0]}"
    )
    if (row := middles.get("estimate")) is None:
        row = middles["group"]
        return (
            f"{who}: {counted(int(row.n), 'posting')} have a median of {dollars(row.value)} (95% interval "
            f"{_between(row)}). Nothing is estimated: from 30 postings on, the model was no better than they."
        )
    middle = frame[frame["kind"] == "estimate"].set_index("quantile")["value"]
    near = f"{row.n:,.0f}" if row.n else "none"
    return (
        f"{who}, {filters.my_year}, {REMOTES[filters.my_works].lower()}: a median of about "
        f"{dollars(row.value)} (margin {_between(row)}), the middle half {dollars(middle[0.25])}–"
        f"{dollars(middle[0.75])}. An estimate of this project’s model from {row.fitted:,.0f} postings, "
        f"{near} of them of this role, level and country. In the backtest "
        f"{theme.percent(row.within_10_90, 0)} of such pay lay between its 10% and 90% quantiles; 80% would "
        "be right."
    )


def _ranked(sign: str) -> str:
    """SQL of the rank of the record at an end of the 95% interval of a quantile."""
    half = "1.96 * sqrt(total * quantile * (1 - quantile))"
    return f"floor(total * quantile - {half})" if sign == "-" else f"ceil(1 + total * quantile + {half})"


_OBSERVED = f"""
    SELECT
        kind, total AS n, quantile, {pay_quantile("quantile")} AS value,
        CASE WHEN {_ranked("-")} >= 1 THEN {pay_at(_ranked("-"))} END AS lower,
        {pay_at(_ranked("+"))} AS upper
    FROM listed
    CROSS JOIN (SELECT unnest({list(QUANTILES.values())}) AS quantile)
"""  # noqa: S608  # texts of this module
_SPREAD = ", ".join(QUANTILES)
_MARGINS = ", ".join(f"margin_{name}" for name in QUANTILES)

estimate = register(
    Chart(
        id="salary-estimate",
        topic="salaries",
        title="Your role, level and country",
        question="Which pay is to be expected for a role, a level and a country?",
        reading="Rings: an estimate of this project’s model, n the postings of this role, level and country "
        f"behind it; dots: observed postings, from {LEAST} on. A row gives the pay under which that share of "
        "them lies, with its margin: of an estimate, what nine in ten observed groups kept to in a backtest "
        "on earlier files; of observed postings, the 95% interval. An estimate is shown only where the model "
        "beat, in each backtest, the quantiles of the narrowest group with ten postings or more. Of a "
        "country without postings the model knows income per head and prices.",
        filters=EstimateFilters,
        sql=f"""
WITH near AS (
    SELECT
        salary_k, postings, company_country = $my_country AS is_here,
        year::VARCHAR = $my_year AND remote::VARCHAR = $my_works AND company_size = $my_size AS is_choice
    FROM salary_cell
    WHERE source = 'aijobs' AND role_id = $my_role AND experience = $my_level
        AND company_country = $my_country AND postings > 0
),

counted AS (
    SELECT 'group' AS kind, salary_k, sum(postings) AS n FROM near GROUP BY salary_k
    UNION ALL
    SELECT 'choice' AS kind, salary_k, sum(postings) AS n FROM near WHERE is_choice GROUP BY salary_k
),

listed AS ({listed_sql("kind")}),

observed AS ({_OBSERVED}),

known AS MATERIALIZED (
    SELECT *
    FROM pay_estimate
    CROSS JOIN (
        SELECT sum(effect) AS choice_effect, max(postings) FILTER (term = 'intercept') AS fitted
        FROM pay_effect
        WHERE term = 'intercept'
            OR (term = 'year' AND term_level = $my_year)
            OR (term = 'remote' AND term_level = $my_works)
            OR (term = 'company_size' AND term_level = $my_size)
    ) AS choice
    WHERE role_id = $my_role AND experience = $my_level AND company_country = $my_country
),

told AS (
    SELECT
        'estimate' AS kind, postings AS n,
        unnest({list(QUANTILES.values())}) AS quantile,
        1000.0 * exp(effect + choice_effect + unnest([{_SPREAD}])) AS value,
        value / unnest([{_MARGINS}]) AS lower,
        value * unnest([{_MARGINS}]) AS upper
    FROM known
    WHERE is_better
    UNION ALL BY NAME
    SELECT * FROM observed
    WHERE kind = 'group' OR n < (SELECT postings FROM known)
)

SELECT
    told.*, known.fitted, known.within_10_90, known.within_25_75, known.role, known.country,
    'aijobs:' || told.kind || ':' || $my_role || ':' || $my_country AS claim_id,
    source.source_id, source.publisher, source.published, 'relayed' AS attribution, source.url
FROM told
CROSS JOIN known
JOIN salary_source AS source ON source.source = 'aijobs'
UNION ALL BY NAME
SELECT
    'rests on' AS kind, figure.value, figure.claim_id,
    figure.metric_label || ', ' || figure.period || ' (' || figure.unit_label || ')' AS basis,
    figure.source_id, figure.publisher, figure.published, figure.attribution, figure.url
FROM latest_figure AS figure
WHERE figure.entity_id = $my_country AND figure.metric_id IN ('gdp_per_head', 'ppp_factor', 'exchange_rate')
    AND EXISTS (FROM known WHERE is_better)
UNION ALL BY NAME
SELECT
    'rests on' AS kind, score.scored_postings AS n, score.model_loss_usd AS value,
    'backtest:' || score.stratum AS claim_id,
    'Backtest, fitted on the file of ' || score.fitted_on || ': mean pinball loss of the model in US$, '
    || 'against ' || score.group_loss_usd || ' of the groups' AS basis,
    source.source_id, source.publisher, source.published, 'relayed' AS attribution, source.url
FROM known
JOIN pay_model_score AS score USING (stratum)
JOIN source_card AS source ON source.source_id = score.fitted_source_id
WHERE EXISTS (FROM told)
ORDER BY list_position({[*KINDS, "rests on"]}, kind), quantile, claim_id
""",  # noqa: S608  # constants of this module
        figure=_estimate,
        takeaway=_takeaway,
        columns={
            "kind": "Kind",
            "quantile": "Quantile",
            "value": "Yearly pay (US$)",
            "lower": "From (US$)",
            "upper": "To (US$)",
            "n": "n",
            "basis": "What it rests on",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=400,
    )
)
