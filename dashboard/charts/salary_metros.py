"""What official statistics say is paid in US metropolitan areas, and what that buys at the prices there."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    hover_data,
    legend_below,
    records,
    spoken,
    title_above,
    wrapped,
)
from dashboard.charts.salaries import ROW, dollars

MOST = 24


class MetroFilters(Filters):
    """Which occupation."""

    occupation: Annotated[
        str,
        Control(
            "Occupation",
            "SELECT DISTINCT segment, upper(segment[1]) || segment[2:] FROM observation_figure "
            "WHERE metric_id = 'occupation_pay_median' AND NOT is_repeat ORDER BY segment",
            help="Official statistics know no occupation “AI engineer”.",
            is_primary=True,
            width=320,
        ),
    ] = "data scientists"


def _words(row: Any) -> str:
    adjusted = (
        f"<br>At US prices {dollars(row.adjusted)} (level {row.parity:.1f}, US = 100, {row.parity_year})"
        if pd.notna(row.adjusted)
        else "<br>No price level is known for the area."
    )
    area = str(row.area).removeprefix("metropolitan area ")
    median = f"Median of {row.segment} {dollars(row.value)}, {spoken(row.period)}"
    return f"{wrapped(area, 46)}<br>{median}{adjusted}"


def _metros(frame: pd.DataFrame, filters: MetroFilters) -> go.Figure:
    """One row an area: a filled dot for the pay, a hollow one for what it buys."""
    shown = frame.head(MOST)
    places = list(range(len(shown)))
    figure = go.Figure()
    for place, row in enumerate(records(shown)):
        if pd.notna(row.adjusted):
            figure.add_scatter(
                x=[row.value, row.adjusted],
                y=[place, place],
                mode="lines",
                line={"color": theme.FAINT, "width": 3},
                showlegend=False,
                hoverinfo="skip",
            )
    customdata = hover_data(shown, _words)
    for column, symbol, name in (
        ("value", "circle", "Median pay"),
        ("adjusted", "circle-open", "The same at US prices"),
    ):
        figure.add_scatter(
            x=shown[column],
            y=places,
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 10, "color": theme.BLUE, "line": {"width": 2}},
            customdata=customdata,
            hovertemplate=HOVER,
        )
    legend_below(figure)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[str(row.place) for row in records(shown)],
        range=[max(len(shown), 4) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(tickprefix="$", tickformat="~s", nticks=6, tickangle=0, showgrid=True)
    title_above(figure, "Median yearly pay, US$")
    return figure


def _metros_takeaway(frame: pd.DataFrame, filters: MetroFilters) -> str:
    top = frame.iloc[0]
    text = (
        f"{str(top['segment']).capitalize()} earn most in {top['place']}, a median of "
        f"{dollars(top['value'])} ({top['period'][:4]})"
    )
    priced = frame[frame["adjusted"].notna()]
    if priced.empty:
        return f"{text}; no price levels are known for these areas."
    best = priced.iloc[int(priced["adjusted"].argmax())]
    return f"{text}; at US prices, most in {best['place']} ({dollars(best['adjusted'])})."


metros = register(
    Chart(
        id="salary-us-metros",
        topic="salaries",
        title="Official pay in US metropolitan areas",
        question="Where in the US is pay highest, and where does it buy most?",
        reading="Filled: median yearly wage in the official statistics of the newest year; hollow: the same "
        "divided by the regional price parity of the area (US = 100). Wages without bonus and shares, told "
        "by employers; the self-employed are not covered.",
        filters=MetroFilters,
        sql="""
WITH pay AS (
    SELECT * FROM observation_figure
    WHERE metric_id = 'occupation_pay_median' AND segment = $occupation AND NOT is_repeat
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY period DESC, claim_id) = 1
),

parity AS (
    SELECT entity_id, value, year FROM observation_figure
    WHERE metric_id = 'price_parity' AND NOT is_repeat
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY period DESC, claim_id) = 1
)

SELECT
    pay.claim_id, pay.source_id, pay.metric_id, pay.publisher, pay.published, pay.attribution, pay.url,
    pay.place, pay.population AS area, pay.segment, pay.period, pay.value,
    parity.value AS parity, parity.year AS parity_year, 100.0 * pay.value / parity.value AS adjusted
FROM pay
LEFT JOIN parity USING (entity_id)
ORDER BY pay.value DESC, pay.claim_id
""",
        figure=_metros,
        takeaway=_metros_takeaway,
        columns={
            "place": "City named first",
            "area": "Area",
            "segment": "Occupation",
            "period": "Period",
            "value": "Median pay (US$)",
            "parity": "Price level (US = 100)",
            "parity_year": "Price level of year",
            "adjusted": "At US prices (US$)",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=MOST * ROW + 90,
    )
)
