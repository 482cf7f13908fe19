"""Forecasts as paths from base to target: all of them, one publisher's editions, the reader's own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.forecasts import (
    HAS_TARGET,
    NARROWED,
    PATH_COLUMNS,
    PLACED,
    PUBLISHERS_SQL,
    TARGETED,
    WHOLE_WORLD,
    ForecastFilters,
    Market,
    PlacedFilters,
    Repeats,
    select,
)
from dashboard.charts.marks import (
    HOVER,
    UNNAMED,
    EndLabel,
    Sketch,
    counted,
    hover_text,
    label_line_ends,
    money_ticks,
    money_title,
    publisher_hues,
    records,
    spread_bar,
    title_above,
    year_axis,
)

HEIGHT = 540
DASH = "4px,3px"  # forecasts are dashed: nothing between base and target was published


def path_words(row: Any) -> str:
    """A forecast as the hover tells it: $37.9 bn in 2025 → $1 tn in 2034."""
    target = f"{theme.usd_bn(row.forecast_value_usd_bn)} in {row.forecast_year}"
    if pd.isna(row.base_value_usd_bn) or pd.isna(row.base_year):
        return target
    return f"{theme.usd_bn(row.base_value_usd_bn)} in {row.base_year:.0f} → {target}"


def _stated(frame: pd.DataFrame) -> pd.DataFrame:
    """Every year and value that the forecasts print, base or target, with its publisher if that is named."""
    base = frame[["base_year", "base_value_usd_bn", "publisher"]]
    target = frame[["forecast_year", "forecast_value_usd_bn", "publisher"]]
    names = ["year", "value", "publisher"]
    stated = pd.concat([base.set_axis(names, axis=1), target.set_axis(names, axis=1)])
    return stated.dropna(subset=["year", "value"]).replace(UNNAMED, None)


def _by_year(stated: pd.DataFrame) -> pd.DataFrame:
    """Year, smallest and largest stated value, and how many publishers stated one."""
    years = stated.groupby("year")
    return years.agg(
        low=("value", "min"), high=("value", "max"), publishers=("publisher", "nunique")
    ).reset_index()


def _draw_paths(sketch: Sketch, rows: Iterable[Any], name: str, color: str, width: float) -> None:
    """The forecasts as one dashed line with gaps between the claims, a hollow mark at each printed value."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    data: list[list[str]] = []
    for row in rows:
        text = hover_text(row, path_words(row))
        for year, value in (
            (row.base_year, row.base_value_usd_bn),
            (row.forecast_year, row.forecast_value_usd_bn),
        ):
            if pd.notna(year) and pd.notna(value):
                xs.append(float(year))
                ys.append(float(value))
                data.append([row.claim_id, text])
        xs.append(None)
        ys.append(None)
        data.append(["", ""])
    sketch.add_scatter(
        x=xs,
        y=ys,
        mode="lines+markers",
        name=name,
        customdata=data,
        hovertemplate=HOVER,
        line={"color": color, "width": width, "dash": DASH},
        marker={"size": 4 + 2 * width, "symbol": "circle-open", "line": {"width": 1.5}},
    )


def _money_axis(figure: go.Figure, values: pd.Series, *, is_log: bool) -> tuple[float, float]:
    """The y axis for these market sizes; returns its range in its own units."""
    low, high = float(values.min()), float(values.max())
    title_above(figure, money_title("Market size", is_log=is_log))
    span = (math.log10(low) - 0.12, math.log10(high) + 0.12) if is_log else (0.0, high * 1.06)
    figure.update_yaxes(range=span, **money_ticks(low, high, is_log=is_log))
    return span


def paths_figure(frame: pd.DataFrame, chosen: Sequence[str], *, is_log: bool) -> go.Figure:
    """Every forecast from base to target: chosen publishers in colour, others grey, the spread behind."""
    figure, sketch, stated = go.Figure(), Sketch(), _stated(frame)
    spread = _by_year(stated)
    bars = list(records(spread[spread["publishers"] >= 3]))
    xs = [x for bar in bars for x in (bar.year, bar.year, None)]
    spread_bar(sketch, xs, [y for bar in bars for y in (bar.low, bar.high, None)], width=9)
    hues = publisher_hues(frame)
    told_by: dict[str, list[Any]] = {name: [] for name in chosen}
    rest: list[Any] = []
    for row in records(frame):
        told_by.get(row.publisher, rest).append(row)
    if rest:
        _draw_paths(sketch, rest, "Other publishers", theme.FAINT, 1)
    for name, rows in told_by.items():
        _draw_paths(sketch, rows, name, hues[name], 2)
    sketch.onto(figure)
    span = _money_axis(figure, stated["value"], is_log=is_log)
    labels = []
    for name, rows in told_by.items():
        _, end = max((row.forecast_year, float(row.forecast_value_usd_bn)) for row in rows)
        labels.append(EndLabel(name, math.log10(end) if is_log else end, hues[name]))
    if labels:
        label_line_ends(figure, labels, span, HEIGHT)
    year_axis(figure, stated["year"].min(), frame["forecast_year"].max())
    return figure


# --- every forecast -------------------------------------------------------------------------------


class PathFilters(PlacedFilters):
    """Filters of the forecast paths."""

    highlight: Annotated[
        list[str], Control("Highlight", PUBLISHERS_SQL, is_primary=True, all_label="Most cited")
    ] = []
    scale: Annotated[
        Literal["log", "linear"], Control("Scale", labels={"log": "Log", "linear": "Linear"}, is_primary=True)
    ] = "log"


def _highlighted(frame: pd.DataFrame, filters: PathFilters) -> list[str]:
    """The publishers that are drawn in colour: the reader's choice, else the leading one of each hue."""
    if filters.highlight:
        return [name for name in filters.highlight if name in set(frame["publisher"])]
    named = frame.dropna(subset=["publisher_rank"]).drop_duplicates("publisher").sort_values("publisher_rank")
    return list(named.assign(hue=named["publisher_rank"].map(theme.hue)).drop_duplicates("hue")["publisher"])


def _forecasts(frame: pd.DataFrame, filters: PathFilters) -> go.Figure:
    return paths_figure(frame, _highlighted(frame, filters), is_log=filters.scale == "log")


def _forecasts_takeaway(frame: pd.DataFrame, filters: PathFilters) -> str:
    spread = _by_year(_stated(frame[frame["publisher"] != UNNAMED]))
    shared = spread[spread["publishers"] >= 2]
    if shared.empty:
        return f"{counted(len(frame), 'published path')}; no two publishers name the same year."
    widest: Any = shared.sort_values(["publishers", "year"]).iloc[-1]
    return (
        f"{counted(len(frame), 'published path')} do not agree: for {widest.year:.0f} alone, "
        f"{widest.publishers:.0f} publishers say anything from {theme.usd_bn(widest.low)} to "
        f"{theme.usd_bn(widest.high)}, a factor of {theme.times(widest.high / widest.low)}."
    )


forecasts = register(
    Chart(
        id="market-forecasts",
        topic="market",
        title="Every published forecast, from its base to its target",
        question="How big will the market be, and who says so?",
        reading="Each dashed line is one forecast, from the value of its base year to that of its target "
        "year; nothing between the two was published. A grey bar spans all values that three or more "
        "publishers state for one year. A name stands at the height of its publisher's farthest target.",
        filters=PathFilters,
        sql=select(
            "forecast_path",
            NARROWED,
            TARGETED,
            PLACED,
            HAS_TARGET,
            order="forecast_year, forecast_value_usd_bn, claim_id",
        ),
        figure=_forecasts,
        takeaway=_forecasts_takeaway,
        columns=PATH_COLUMNS,
        height=HEIGHT,
    )
)


# --- editions of one publisher --------------------------------------------------------------------


class VintageFilters(Filters):
    """Filters of one publisher's editions."""

    market: Market = "generative_ai"
    house: Annotated[
        str,
        Control(
            "Publisher",
            "SELECT publisher FROM forecast_path "
            "WHERE publisher <> 'Firm not named' AND is_whole_market AND entity_id = 'world' "
            "AND forecast_value_usd_bn IS NOT NULL AND published_year IS NOT NULL "
            "GROUP BY publisher HAVING count(DISTINCT published_year) > 1 ORDER BY publisher",
            is_primary=True,
        ),
    ] = "Fortune Business Insights"
    repeats: Repeats = False


def _vintages(frame: pd.DataFrame, filters: VintageFilters) -> go.Figure:
    figure, sketch, stated = go.Figure(), Sketch(), _stated(frame)
    editions = sorted(frame["published_year"].unique())
    hues = dict(zip(editions, theme.ramp(len(editions)), strict=True))
    ends: list[tuple[str, float, float]] = []
    for edition, group in frame.groupby("published_year"):
        _draw_paths(sketch, records(group), f"{edition:.0f}", hues[edition], 2)
        targets = zip(group["forecast_value_usd_bn"], group["forecast_year"], strict=True)
        ends += [(f"{edition:.0f}", float(value), float(year)) for value, year in targets]
    _, high = _money_axis(figure, stated["value"], is_log=False)
    for text, height, year in _joined(ends, high * 0.05):
        sketch.add_annotation(x=year, y=height, text=text, showarrow=False, xanchor="left", xshift=8)
    sketch.onto(figure)
    year_axis(figure, stated["year"].min(), frame["forecast_year"].max())
    figure.update_layout(margin_r=60)
    return figure


def _joined(ends: list[tuple[str, float, float]], gap: float) -> list[tuple[str, float, float]]:
    """Line ends (text, height, year) that are too close for two labels share one."""
    joined: list[tuple[str, float, float]] = []
    for text, height, year in sorted(ends, key=lambda end: (end[2], end[1])):
        if joined and joined[-1][2] == year and height - joined[-1][1] < gap:
            texts = dict.fromkeys([*joined[-1][0].split(", "), text])
            joined[-1] = (", ".join(sorted(texts)), joined[-1][1], year)
        else:
            joined.append((text, height, year))
    return joined


def _vintages_takeaway(frame: pd.DataFrame, filters: VintageFilters) -> str:
    name = frame["publisher"].iloc[0]
    years = sorted(frame["published_year"].unique())
    if len(years) == 1:
        return f"Only the {years[0]:.0f} edition of {name} is on record for this market."
    moves = []
    for year, group in frame.groupby("forecast_year"):
        ordered = group.sort_values(["published", "claim_id"])
        first: Any = ordered.iloc[0]
        last: Any = ordered.iloc[-1]
        if first.published_year != last.published_year:
            factor = last.forecast_value_usd_bn / first.forecast_value_usd_bn
            moves.append((abs(factor - 1), year, first, last))
    if not moves:
        return (
            f"{counted(len(years), 'edition')} of {name} are on record ({years[0]:.0f} to {years[-1]:.0f}); "
            "no two of them name the same target year."
        )
    size, year, first, last = max(moves, key=lambda move: move[:2])
    verb = "raised" if last.forecast_value_usd_bn > first.forecast_value_usd_bn else "cut"
    moved = (
        f"it {verb} its figure by {theme.percent(100 * size, 0)}" if size > 0.005 else "practically the same"
    )
    return (
        f"For {year:.0f}, {name} said {theme.usd_bn(first.forecast_value_usd_bn)} in "
        f"{first.published_year:.0f} and {theme.usd_bn(last.forecast_value_usd_bn)} in "
        f"{last.published_year:.0f}: {moved}."
    )


vintages = register(
    Chart(
        id="market-vintages",
        topic="market",
        title="How one publisher changed its mind",
        question="How did a publisher's forecast move from edition to edition?",
        reading="Each dashed line is one forecast, coloured by the year of its edition from blue (old) to "
        "gold (new); the year of the edition stands at its end.",
        filters=VintageFilters,
        sql=select(
            "forecast_path",
            "market_id = $market AND publisher = $house AND ($repeats OR NOT is_repeat)",
            WHOLE_WORLD,
            "attribution <> 'misquoted'",
            HAS_TARGET,
            "published_year IS NOT NULL",
            order="published, claim_id",
        ),
        figure=_vintages,
        takeaway=_vintages_takeaway,
        columns=PATH_COLUMNS,
        is_behind_more=True,
    )
)


# --- the reader's own scenario --------------------------------------------------------------------

SCENARIO_BASE_YEAR = 2025


class ScenarioFilters(ForecastFilters):
    """A reader's own assumption, set among the published paths."""

    base: Annotated[
        float, Field(ge=0.1, le=10_000), Control("Your base in 2025 (US$ bn)", is_primary=True)
    ] = 40.0
    growth: Annotated[float, Field(ge=-50, le=200), Control("Your growth (% a year)", is_primary=True)] = 30.0
    horizon: Annotated[int, Field(ge=2026, le=2040), Control("Your horizon", is_primary=True)] = 2034


def scenario_value(filters: ScenarioFilters, year: int | None = None) -> float:
    """The reader's market size (US$ bn) in a year: base × (1 + growth)^(year − 2025)."""
    return filters.base * (1 + filters.growth / 100) ** ((year or filters.horizon) - SCENARIO_BASE_YEAR)


def _scenario(frame: pd.DataFrame, filters: ScenarioFilters) -> go.Figure:
    figure, stated = paths_figure(frame, [], is_log=True), _stated(frame)
    years = list(range(SCENARIO_BASE_YEAR, filters.horizon + 1))
    values = [scenario_value(filters, year) for year in years]
    figure.add_scatter(
        x=years,
        y=values,
        mode="lines",
        name="Your scenario",
        line={"color": theme.VERMILION, "width": 3},
        hovertext=[
            f"{theme.usd_bn(round(value, 1))} in {year}" for year, value in zip(years, values, strict=True)
        ],
        hovertemplate="<b>Your scenario</b><br>%{hovertext}<br>no published figure<extra></extra>",
    )
    span = _money_axis(figure, pd.concat([stated["value"], pd.Series(values)]), is_log=True)
    label_line_ends(
        figure, [EndLabel("Your scenario", math.log10(values[-1]), theme.VERMILION)], span, HEIGHT
    )
    first = min(stated["year"].min(), SCENARIO_BASE_YEAR)
    year_axis(figure, first, max(filters.horizon, frame["forecast_year"].max()))
    return figure


def _scenario_takeaway(frame: pd.DataFrame, filters: ScenarioFilters) -> str:
    value = scenario_value(filters)
    said = frame.loc[frame["forecast_year"] == filters.horizon, "forecast_value_usd_bn"]
    text = (
        f"{theme.usd_bn(filters.base)} growing by {theme.exact(filters.growth)}% a year becomes "
        f"{theme.usd_bn(round(value, 1))} in {filters.horizon}"
    )
    if said.empty:
        return f"{text}; no published path ends in that year."
    above, below = int((said < value).sum()), int((said > value).sum())
    targets = counted(len(said), "published target")
    return f"{text}: above {above} and below {below} of the {targets} for that year."


scenario = register(
    Chart(
        id="market-scenario",
        topic="market",
        title="Your own scenario among the published ones",
        question="Where would my assumption stand among the forecasts?",
        reading="The thick line is computed from your three numbers and is nobody's claim; dashed grey "
        "lines are published forecasts, grey bars the span of what three or more publishers state for one "
        "year.",
        filters=ScenarioFilters,
        sql=select("forecast_path", NARROWED, TARGETED, WHOLE_WORLD, HAS_TARGET, order="claim_id"),
        figure=_scenario,
        takeaway=_scenario_takeaway,
        columns=PATH_COLUMNS,
        height=HEIGHT,
    )
)
