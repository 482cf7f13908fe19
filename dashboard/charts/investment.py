"""Investment: who is said to have put how much money into AI, by year and by country."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    Strip,
    counted,
    hover_data,
    label_line_ends,
    money_ticks,
    money_title,
    publisher_hues,
    spread_bar,
    strip_figure,
    title_above,
    year_axis,
)

HEIGHT = 540
MOST_NAMED = 9
_METRICS = (
    "SELECT DISTINCT metric_id, metric_label FROM observation_figure "
    "WHERE dataset = 'investment' AND is_whole_year AND harmonised_value IS NOT NULL "
    "AND segment IS NULL AND population IS NULL {} ORDER BY metric_label"
)


class InvestmentFilters(Filters):
    """Whether the same figure counts twice."""

    repeats: Annotated[
        bool, Control("Include repeats", help="The same figure of the same firm, read on another page.")
    ] = False


class ByYearFilters(InvestmentFilters):
    """Filters of investment over the years."""

    funding: Annotated[str, Control("What is counted", _METRICS.format(""), is_primary=True, width=400)] = (
        "ai_vc_funding"
    )
    place: Annotated[
        str,
        Control(
            "Place",
            "SELECT DISTINCT entity_id, place FROM observation_figure WHERE dataset = 'investment' AND "
            "is_whole_year ORDER BY entity_id <> 'world', place",
            is_primary=True,
        ),
    ] = "world"


# Figures for whole years, of all sectors and of all companies, in the unit of their metric.
_SQL = """
SELECT * FROM observation_figure
WHERE dataset = 'investment' AND metric_id = {metric} AND is_whole_year AND harmonised_value IS NOT NULL
    AND segment IS NULL AND population IS NULL AND ($repeats OR NOT is_repeat) AND {place_and_year}
ORDER BY year, harmonised_value DESC, claim_id
"""
_COLUMNS = {
    "publisher": "Publisher",
    "metric_label": "What is counted",
    "place": "Place",
    "period": "Year",
    "value": "Published value",
    "unit_label": "Unit",
    "status": "Status",
    "published": "Published",
    "attribution": "How it was read",
    "url": "Address",
}


def amount(value: float, unit_id: str) -> str:
    """A figure with the unit of its metric."""
    if unit_id == "usd_bn":
        return theme.usd_bn(value)
    return theme.exact(value) + ("%" if unit_id == "percent" else "")


def _words(row: Any) -> str:
    part = " (year to date)" if row.status == "partial" else ""
    return f"{amount(row.harmonised_value, row.harmonised_unit_id)}, {row.place}, {row.period}{part}"


def _by_year(frame: pd.DataFrame, filters: ByYearFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    extent = frame.groupby("year")["harmonised_value"].agg(["min", "max", "count"])
    for year, row in extent[extent["count"] > 1].iterrows():
        spread_bar(sketch, [year, year], [row["min"], row["max"]], width=9)
    hues = publisher_hues(frame)
    last = frame["year"].max()
    labels = []
    for name, group in frame.groupby("publisher"):
        newest = _draw_publisher(sketch, group, str(name), hues[str(name)])
        if newest["year"] == last:
            labels.append(EndLabel(str(name), float(newest["harmonised_value"]), hues[str(name)]))
    sketch.onto(figure)
    labels = sorted(labels, key=lambda label: label.height, reverse=True)[:MOST_NAMED]
    label_line_ends(figure, labels, _value_axis(figure, frame), HEIGHT)
    year_axis(figure, int(frame["year"].min()), int(last))
    return figure


def _draw_publisher(sketch: Sketch, group: pd.DataFrame, name: str, color: str) -> pd.Series:
    """All figures of one publisher, the newest of each year joined by a line; returns the last of those."""
    newest = group.sort_values("published").drop_duplicates("year", keep="last").sort_values("year")
    if len(newest) > 1:
        sketch.add_scatter(
            x=newest["year"],
            y=newest["harmonised_value"],
            mode="lines",
            name=name,
            line={"color": color, "width": 1.5},
            hoverinfo="skip",
        )
    is_hollow = group["status"] != "actual"
    sketch.add_scatter(
        x=group["year"],
        y=group["harmonised_value"],
        mode="markers",
        name=name,
        customdata=hover_data(group, _words),
        hovertemplate=HOVER,
        marker={
            "color": color,
            "size": 9,
            "symbol": ["circle-open" if hollow else "circle" for hollow in is_hollow],
            "line": {"width": 2, "color": color},
        },
    )
    return newest.iloc[-1]


def _value_axis(figure: go.Figure, frame: pd.DataFrame) -> tuple[float, float]:
    """The y axis in the unit of the metric; returns its range."""
    values, label = frame["harmonised_value"], frame["metric_label"].iloc[0]
    low, high = min(0.0, float(values.min())), float(values.max())
    unit = frame["harmonised_unit_id"].iloc[0]
    if unit == "usd_bn":
        figure.update_yaxes(**money_ticks(low, high, is_log=False))
        title_above(figure, money_title(label, is_log=False))
    else:
        figure.update_yaxes(ticksuffix="%" if unit == "percent" else "")
        title_above(figure, f"{label}, {'%' if unit == 'percent' else frame['harmonised_unit'].iloc[0]}")
    air = max(high - low, 1e-9) * 0.06
    return low - (air if low < 0 else 0), high + air


def _span(low: float, high: float, unit: str) -> str:
    return amount(high, unit) if low == high else f"{amount(low, unit)} to {amount(high, unit)}"


def _by_year_takeaway(frame: pd.DataFrame, filters: ByYearFilters) -> str:
    label, unit, place = (frame[name].iloc[0] for name in ("metric_label", "harmonised_unit_id", "place"))
    extent = frame.groupby("year").agg(
        low=("harmonised_value", "min"), high=("harmonised_value", "max"), firms=("publisher", "nunique")
    )
    latest: Any = extent.iloc[-1]
    year = extent.index[-1]
    where = "" if filters.place == "world" else f", {place}"
    text = f"{label}{where}, {year}: {_span(latest.low, latest.high, unit)}"
    if latest.low == latest.high:
        text += f", says {' and '.join(frame.loc[frame['year'] == year, 'publisher'].unique()[:2])}."
    elif latest.firms == 1:
        text += f", all from {frame.loc[frame['year'] == year, 'publisher'].iloc[0]}."
    else:
        text += f", depending on which of {counted(int(latest.firms), 'publisher')} one asks."
    if len(extent) > 1:
        before: Any = extent.iloc[-2]
        text += f" For {extent.index[-2]}: {_span(before.low, before.high, unit)}."
    return text


by_year = register(
    Chart(
        id="investment-by-year",
        topic="market",
        title="Money put into AI, year by year",
        question="How much was invested each year, and do the counters agree?",
        reading="A mark is one published figure; hollow marks are forecasts or part of a year. A line joins "
        "the newest figures of one publisher, older ones stay beside it. Publishers count different deals.",
        filters=ByYearFilters,
        sql=_SQL.format(metric="$funding", place_and_year="entity_id = $place"),
        figure=_by_year,
        takeaway=_by_year_takeaway,
        columns=_COLUMNS,
        height=HEIGHT,
    )
)


class ByCountryFilters(InvestmentFilters):
    """Filters of investment by country."""

    raised: Annotated[
        str,
        Control("What is counted", _METRICS.format("AND entity_id <> 'world'"), is_primary=True, width=400),
    ] = "ai_private_investment"
    funded: Annotated[int, Field(ge=2015, le=2045), Control("Year", is_primary=True)] = 2024


def _by_country(frame: pd.DataFrame, filters: ByCountryFilters) -> go.Figure:
    unit, label = frame["harmonised_unit_id"].iloc[0], frame["metric_label"].iloc[0]
    kind: Literal["usd_bn", "percent", "count"] = unit if unit in {"usd_bn", "percent"} else "count"
    named = {"usd_bn": "", "percent": ", %"}.get(kind, f", {frame['harmonised_unit'].iloc[0]}")
    return strip_figure(
        frame,
        Strip(
            category="place",
            value="harmonised_value",
            title=f"{label}, {filters.funded}{named}",
            words=_words,
            unit=kind,
            hollow=frame["status"] != "actual",
        ),
    )


def _by_country_takeaway(frame: pd.DataFrame, filters: ByCountryFilters) -> str:
    unit, label = frame["harmonised_unit_id"].iloc[0], frame["metric_label"].iloc[0]
    extent = (
        frame.groupby("place")["harmonised_value"].agg(["min", "max"]).sort_values("max", ascending=False)
    )
    top: Any = extent.iloc[0]
    said = _span(top["min"], top["max"], unit)
    text = f"{label}, {filters.funded}: {extent.index[0]} stands first with {said}"
    if len(extent) > 1:
        second: Any = extent.iloc[1]
        text += f", {extent.index[1]} follows with {_span(second['min'], second['max'], unit)}"
    return text + "."


by_country = register(
    Chart(
        id="investment-by-country",
        topic="market",
        title="Where the money went",
        question="Which countries and regions are said to receive it?",
        reading="A mark is one published figure for one place, on a log scale for money; hollow marks are "
        "forecasts or part of a year. Regions contain countries: they do not add up.",
        filters=ByCountryFilters,
        sql=_SQL.format(metric="$raised", place_and_year="entity_id <> 'world' AND year = $funded"),
        figure=_by_country,
        takeaway=_by_country_takeaway,
        columns=_COLUMNS,
        height=400,
        is_behind_more=True,
    )
)
