"""Strips of claims by publisher, segment or place: one year's values, growth rates, parts of the market."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, register
from dashboard.charts.forecasts import (
    NARROWED,
    PATH_COLUMNS,
    PLACED,
    TARGETED,
    VALUE_COLUMNS,
    ForecastFilters,
    PlacedFilters,
    select,
)
from dashboard.charts.marks import Strip, capitalised, counted, firms, said_by, strip_figure

_PATH = "(SELECT claim_id, forecast_year, url FROM forecast_path)"
_VALUES = f"forecast_value JOIN {_PATH} USING (claim_id)"
_LATEST_VALUES = (
    "(FROM forecast_value QUALIFY row_number() OVER (PARTITION BY claim_id ORDER BY year DESC) = 1) "
    f"JOIN {_PATH} USING (claim_id)"
)


def _value_words(row: Any) -> str:
    """A stated value as the hover tells it, with the segment and the place that it is about."""
    about = [capitalised(row.segment)] if pd.notna(row.segment) else []
    about += [row.place] if row.place != "World" else []
    return ", ".join([f"{theme.usd_bn(row.value_usd_bn)} in {row.year}", *about])


# --- one year -------------------------------------------------------------------------------------


class YearFilters(PlacedFilters):
    """Filters of the values for one year."""

    year: Annotated[int, Field(ge=2015, le=2045), Control("Year", is_primary=True)] = 2030


def _one_year(frame: pd.DataFrame, filters: YearFilters) -> go.Figure:
    return strip_figure(
        frame,
        Strip(
            category="publisher",
            value="value_usd_bn",
            title=f"Value stated for {filters.year}",
            words=_value_words,
            hollow=frame["role"] == "target",
        ),
    )


def _one_year_takeaway(frame: pd.DataFrame, filters: YearFilters) -> str:
    low: Any = frame.iloc[frame["value_usd_bn"].argmin()]
    high: Any = frame.iloc[frame["value_usd_bn"].argmax()]
    if len(frame) == 1:
        says = f"{said_by(low.publisher)} says {theme.usd_bn(low.value_usd_bn)}"
        return f"Only one claim speaks of {filters.year}: {says}."
    return (
        f"For {filters.year}, {counted(len(frame), 'claim')} of {counted(firms(frame), 'named publisher')} "
        f"run from {theme.usd_bn(low.value_usd_bn)} ({said_by(low.publisher)}) to "
        f"{theme.usd_bn(high.value_usd_bn)} ({said_by(high.publisher)}), "
        f"{theme.times(high.value_usd_bn / low.value_usd_bn)} times as much."
    )


size_by_year = register(
    Chart(
        id="market-size-by-year",
        topic="market",
        title="One year, every stated value",
        question="What is the market worth in one year, according to each publisher?",
        reading="One mark is one claim: filled where the year is the base of a forecast, hollow where it is "
        "the target. The bar joins the lowest and the highest value of a publisher.",
        filters=YearFilters,
        sql=select(_VALUES, NARROWED, TARGETED, PLACED, "year = $year", order="value_usd_bn DESC, claim_id"),
        figure=_one_year,
        takeaway=_one_year_takeaway,
        columns=VALUE_COLUMNS,
        height=480,
    )
)


# --- growth rates ---------------------------------------------------------------------------------


def _growth_rates(frame: pd.DataFrame, filters: PlacedFilters) -> go.Figure:
    return strip_figure(
        frame,
        Strip(
            category="publisher",
            value="cagr_pct",
            title="Stated growth, % a year",
            words=_growth_words,
            unit="percent",
        ),
    )


def _growth_words(row: Any) -> str:
    start = row.cagr_start_year if pd.notna(row.cagr_start_year) else row.base_year
    end = row.cagr_end_year if pd.notna(row.cagr_end_year) else row.forecast_year
    years = ""
    if pd.notna(end):
        years = f", {start:.0f} to {end:.0f}" if pd.notna(start) else f", to {end:.0f}"
    return f"{theme.exact(row.cagr_pct)}% a year{years}"


def _growth_takeaway(frame: pd.DataFrame, filters: PlacedFilters) -> str:
    low: Any = frame.iloc[frame["cagr_pct"].argmin()]
    high: Any = frame.iloc[frame["cagr_pct"].argmax()]
    if len(frame) == 1:
        return f"One rate was published: {theme.exact(low.cagr_pct)}% a year ({said_by(low.publisher)})."
    between = int(frame["cagr_pct"].between(30, 50).sum())
    return (
        f"{counted(len(frame), 'stated rate')} run from {theme.exact(low.cagr_pct)}% "
        f"({said_by(low.publisher)}) to {theme.exact(high.cagr_pct)}% a year ({said_by(high.publisher)}); "
        f"{between} of them lie between 30 and 50%."
    )


growth_rates = register(
    Chart(
        id="market-growth-rates",
        topic="market",
        title="How fast it is said to grow",
        question="Which yearly growth rate does each publisher state?",
        reading="One mark is one stated compound annual growth rate, as printed. Rates over different years "
        "are not the same promise; the years are in the mark's text and in the table.",
        filters=PlacedFilters,
        sql=select(
            "forecast_path",
            NARROWED,
            TARGETED.replace("forecast_year", "coalesce(forecast_year, cagr_end_year)"),
            PLACED,
            "cagr_pct IS NOT NULL",
            order="cagr_pct DESC, claim_id",
        ),
        figure=_growth_rates,
        takeaway=_growth_takeaway,
        columns={**PATH_COLUMNS, "cagr_start_year": "Growth from year", "cagr_end_year": "Growth to year"},
        height=560,
    )
)


# --- parts of the market --------------------------------------------------------------------------

MOST_SEGMENTS = 20


class PartFilters(ForecastFilters):
    """Filters of parts of the market; all years together, since few publishers name the same."""

    region: Annotated[
        str,
        Control(
            "Region",
            "SELECT DISTINCT entity_id, place FROM forecast_path WHERE segment IS NOT NULL "
            "ORDER BY entity_id <> 'world', place",
        ),
    ] = "world"


def _segments(frame: pd.DataFrame, filters: PartFilters) -> go.Figure:
    return strip_figure(
        frame,
        Strip(
            category="segment",
            value="value_usd_bn",
            title="Value stated for the latest year",
            words=_value_words,
            hollow=frame["role"] == "target",
            most=MOST_SEGMENTS,
        ),
    )


def _segments_takeaway(frame: pd.DataFrame, filters: PartFilters) -> str:
    top: Any = frame.iloc[0]
    text = (
        f"The largest of {counted(frame['segment'].nunique(), 'part')} on record is {top.segment}: "
        f"{theme.usd_bn(top.value_usd_bn)} in {top.year} ({said_by(top.publisher)})."
    )
    values = frame.groupby(["segment", "year"]).agg(
        low=("value_usd_bn", "min"), high=("value_usd_bn", "max"), firms=("publisher", "nunique")
    )
    disputed = values[values["firms"] > 1]
    if not disputed.empty:
        ratio = disputed["high"] / disputed["low"]
        segment, year = ratio.index[int(ratio.argmax())]
        text += f" For {segment} in {year}, publishers differ by a factor of {theme.times(ratio.max())}."
    return text


segments = register(
    Chart(
        id="market-segments",
        topic="market",
        title="What the market is made of",
        question="Which parts of the market do publishers put a figure on?",
        reading="One mark is one claim about a part of the market, at the latest year that it names (in the "
        "mark's text). Parts overlap and come from different publishers and years: they do not add up. The "
        f"{MOST_SEGMENTS} largest parts are drawn; the table has all.",
        filters=PartFilters,
        sql=select(
            _LATEST_VALUES,
            NARROWED,
            TARGETED,
            "segment IS NOT NULL AND entity_id = $region",
            order="value_usd_bn DESC, claim_id",
        ),
        figure=_segments,
        takeaway=_segments_takeaway,
        columns={"segment": "Segment", **VALUE_COLUMNS},
        height=760,
        is_behind_more=True,
    )
)


class RegionFilters(ForecastFilters):
    """Filters of the regions."""


def _regions(frame: pd.DataFrame, filters: RegionFilters) -> go.Figure:
    return strip_figure(
        frame,
        Strip(
            category="place",
            value="value_usd_bn",
            title="Value stated for the latest year",
            words=_value_words,
            hollow=frame["role"] == "target",
        ),
    )


def _regions_takeaway(frame: pd.DataFrame, filters: RegionFilters) -> str:
    top: Any = frame.iloc[0]
    part = f", {top.segment}" if pd.notna(top.segment) else ""
    return (
        f"{counted(len(frame), 'claim')} single out {counted(frame['place'].nunique(), 'place')}; the "
        f"largest figure: {top.place}{part}, {theme.usd_bn(top.value_usd_bn)} in {top.year} "
        f"({said_by(top.publisher)})."
    )


regions = register(
    Chart(
        id="market-regions",
        topic="market",
        title="Where the money is said to be",
        question="What do publishers say about regions and countries?",
        reading="One mark is one claim about a place, at the latest year that it names. Some count the "
        "whole market, some company spending only; the mark's text says which.",
        filters=RegionFilters,
        sql=select(
            _LATEST_VALUES, NARROWED, TARGETED, "entity_id <> 'world'", order="value_usd_bn DESC, claim_id"
        ),
        figure=_regions,
        takeaway=_regions_takeaway,
        columns={"place": "Place", "segment": "Segment", **VALUE_COLUMNS},
        height=440,
        is_behind_more=True,
    )
)
