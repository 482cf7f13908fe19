"""How popular frameworks are over time, one signal at a time, and what all charts over frameworks share."""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    hover_rows,
    label_line_ends,
    records,
    title_above,
)

HEIGHT = 520
MOST_NAMED = 8  # lines with a name and a colour of their own
NAMED_UNASKED = 6
DOWNLOADS = "monthly-downloads-top-pypi-packages"
FIRST_CHOICE = ("pytorch", "tensorflow", "keras", "jax", "transformers", "langchain")

Frameworks = Annotated[
    list[str],
    Control(
        "Compare",
        "SELECT DISTINCT entity_id, framework FROM framework_count ORDER BY lower(framework)",
        help="Two to eight keep apart best. With none chosen, all are shown and the first six named.",
        is_primary=True,
        all_label="All frameworks",
        width=480,
    ),
]
Signal = Annotated[
    str,
    Control(
        "Signal and who counts it",
        "SELECT signal_id, signal FROM framework_count GROUP BY ALL "
        "ORDER BY min(metric_rank), count(*) DESC, signal_id",
        help="Every signal sees something else. Figures are compared within one source and population only.",
        is_primary=True,
        width=340,
    ),
]


class SignalFilters(Filters):
    """One signal, and the frameworks that stand out in it."""

    frameworks: Frameworks = list(FIRST_CHOICE)
    signal: Signal = DOWNLOADS


# --- words and numbers --------------------------------------------------------------------------------------


def when(period: str) -> str:
    """A period as people write it: March 2026, 2022."""
    year, _, month = period.partition("-")
    return f"{calendar.month_name[int(month)]} {year}" if month.isdigit() else period


def amount(value: float, unit_id: str) -> str:
    """A figure, short enough for a label: 87.3 M, 102 k, 31.96%."""
    if unit_id == "percent":
        return theme.exact(value) + "%"
    for size, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}\N{NO-BREAK SPACE}{name}"
    return theme.exact(value)


def not_measured(frame: pd.DataFrame, *, is_short: bool = False) -> str:
    """What the signal does not see, in words of the build; empty where nothing is known of it."""
    excludes = frame["excludes"].dropna()
    if excludes.empty:
        return ""
    text = str(excludes.iloc[0])
    if is_short:
        text = text.partition(". ")[0].removesuffix(".") + "."
    return f" It does not measure {text[:1].lower()}{text[1:]}"


def words(row: Any) -> str:
    """A figure as the hover tells it."""
    text = (
        f"{row.framework}: {amount(row.value, row.unit_id)}, {row.metric_label.lower()}, {when(row.period)}"
    )
    counted = f"<br>rank {row.count_rank} of the {row.counted} names counted" if row.counted > 1 else ""
    series = row.series if isinstance(row.series, str) else ""
    counted_as = f"<br>{series}" if series.startswith(("package", "repository")) else ""
    return text + counted + counted_as


def colours(frame: pd.DataFrame, asked: Sequence[str]) -> dict[str, str]:
    """The colour of each framework that is named, by entity id: its own unless a more prominent one has it.

    Without a choice the largest of the newest period are named; of a longer choice the first eight.
    """
    present = frame.drop_duplicates("entity_id").set_index("entity_id")["framework_rank"]
    if asked:
        named = [name for name in asked if name in present.index][:MOST_NAMED]
    else:
        newest = frame[frame["period"] == frame["period"].max()].sort_values("value", ascending=False)
        named = list(newest["entity_id"].drop_duplicates())[:NAMED_UNASKED]
    free = list(theme.PALETTE)
    chosen: dict[str, str] = {}
    for name in sorted(named, key=lambda each: present[each]):
        own = theme.hue(int(present[name]))
        chosen[name] = own if own in free else free[0]
        free.remove(chosen[name])
    return chosen


def value_axis(figure: go.Figure, values: pd.Series, unit_id: str, *, is_log: bool) -> tuple[float, float]:
    """The y axis for these figures, its ticks short; returns its range in its own units."""
    low, high = float(values.min()), float(values.max())
    if not is_log:
        step = _step(high)
        ticks = [step * i for i in range(int(high / step) + 2)]
        figure.update_yaxes(tickvals=ticks, ticktext=[amount(tick, unit_id) for tick in ticks])
        return 0.0, max(high, step) * 1.06
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if len(powers) < 4 else (1,)
    ticks = [digit * 10.0**power for power in powers for digit in digits]
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[amount(tick, unit_id) for tick in ticks])
    return math.log10(low) - 0.1, math.log10(high) + 0.1


def _step(high: float) -> float:
    """A round distance between four to eight ticks up to `high`."""
    if high <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(high))
    return next(power * part for part in (0.2, 0.5, 1.0, 2.0) if high / (power * part) <= 8)


# --- popularity over time -----------------------------------------------------------------------------------


class PopularityFilters(SignalFilters):
    """A signal over time."""

    drawn: Annotated[
        Literal["value", "log", "index"],
        Control(
            "Shown",
            labels={"value": "As counted", "log": "Log scale", "index": "Indexed"},
            help="Indexed: the first period that all the chosen have in common is 100, "
            "anew wherever the way of counting changed.",
            is_primary=True,
        ),
    ] = "value"
    tracked: Annotated[
        tuple[int, int] | None,
        Control("Years", "SELECT min(year), max(year) FROM framework_count", is_primary=True),
    ] = None


def indexed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `drawn_value` = 100 in the first common period of each population; without one, no rows.

    Frameworks that never meet the others in a population are left out there.
    """
    parts = []
    for _, part in frame[frame["value"] > 0].groupby("population", dropna=False):
        present = part.groupby("period")["entity_id"].nunique()
        base = present[present == present.max()].index.min()
        bases = part[part["period"] == base].set_index("entity_id")["value"]
        kept = part[part["entity_id"].isin(bases.index) & (part["period"] >= base)]
        parts.append(kept.assign(drawn_value=100 * kept["value"] / kept["entity_id"].map(bases)))
    return pd.concat(parts) if parts else frame.head(0).assign(drawn_value=pd.Series(dtype=float))


def _drawn(frame: pd.DataFrame, filters: PopularityFilters) -> pd.DataFrame:
    """The rows as the choice draws them: as counted, those above zero on a log scale, or indexed."""
    if filters.drawn == "index":
        return indexed(frame)
    kept = frame[frame["value"] > 0] if filters.drawn == "log" else frame
    return kept.assign(drawn_value=kept["value"])


def pieces(line: pd.DataFrame, step: float) -> Iterator[pd.DataFrame]:
    """The parts of a line that may be joined: a gap, another way of counting or another package ends one."""
    line = line.sort_values("position")
    for _, piece in line.groupby(_numbered(line, step)):
        yield piece


def _numbered(line: pd.DataFrame, step: float) -> pd.Series:
    """The number of the piece that each row of a line in order belongs to."""
    before = line[["position", "population", "series"]].shift()
    packages = line["series"].fillna("").str.startswith("package")
    ends = (
        (line["position"] - before["position"] > 1.5 * step)
        | (line["population"].fillna("") != before["population"].fillna(""))
        | (packages & (line["series"] != before["series"]))
    )
    return ends.cumsum()


def usual_step(frame: pd.DataFrame) -> float:
    """The usual distance between two counts of the source, in years."""
    steps = frame["position"].drop_duplicates().sort_values().diff().dropna()
    return float(steps.median()) if len(steps) else 1.0


def _draw_line(sketch: Sketch, line: pd.DataFrame, color: str, step: float, *, is_named: bool) -> None:
    line = line.sort_values("position")
    rows = zip(_numbered(line, step), records(line), strict=True)  # faster than a frame for each piece
    few = len(line) <= 24
    for _, numbered in groupby(rows, lambda pair: pair[0]):
        piece = [row for _, row in numbered]
        alone = len(piece) == 1
        sketch.add_scatter(
            x=np.array([row.position for row in piece]),
            y=np.array([row.drawn_value for row in piece]),
            mode="lines+markers" if is_named else "lines" if not alone else "markers",
            name=str(piece[0].framework),
            customdata=hover_rows(piece, words),
            hovertemplate=HOVER,
            line={"color": color, "width": 2 if is_named else 1},
            marker={"color": color, "size": 7 if few else 5 if alone else 4},
        )


def _popularity(frame: pd.DataFrame, filters: PopularityFilters) -> go.Figure:
    shown = _drawn(frame, filters)
    figure, sketch = go.Figure(), Sketch()
    if shown.empty:
        return figure
    hues, step = colours(shown, filters.frameworks), usual_step(frame)
    for _, line in shown[~shown["entity_id"].isin(hues)].groupby("entity_id"):
        _draw_line(sketch, line, theme.FAINT, step, is_named=False)
    for entity, line in shown[shown["entity_id"].isin(hues)].groupby("entity_id"):
        _draw_line(sketch, line, hues[str(entity)], step, is_named=True)
    _mark_breaks(figure, sketch, shown)
    sketch.onto(figure)
    is_log = filters.drawn != "value"
    unit = "" if filters.drawn == "index" else str(frame["unit_id"].iloc[0])
    low, high = value_axis(figure, shown["drawn_value"], unit, is_log=is_log)
    if shown["population"].nunique(dropna=False) > 1:
        high += 0.12 * (high - low)  # room for what the break says
    title_above(figure, _axis_title(frame, filters))
    label_line_ends(figure, _end_labels(shown, hues, is_log=is_log), (low, high), HEIGHT)
    first, last = float(shown["position"].min()), float(shown["position"].max())
    _year_ticks(figure, first, last)
    return figure


def _axis_title(frame: pd.DataFrame, filters: PopularityFilters) -> str:
    label = str(frame["metric_label"].iloc[0])
    if filters.drawn == "index":
        return "Index, first common period = 100 (log scale)"
    unit = ", %" if frame["unit_id"].iloc[0] == "percent" else ""
    return label + unit + (" (log scale)" if filters.drawn == "log" else "")


def _end_labels(shown: pd.DataFrame, hues: dict[str, str], *, is_log: bool) -> list[EndLabel]:
    """The names at the ends of their lines; with the year where a line ends before the others."""
    last = shown["position"].max()
    shown = shown[["entity_id", "framework", "position", "year", "drawn_value"]]
    labels = []
    for entity, color in hues.items():
        end: Any = shown[shown["entity_id"] == entity].sort_values("position").iloc[-1]
        height = math.log10(end.drawn_value) if is_log else float(end.drawn_value)
        until = f" (to {end.year})" if last - end.position >= 1 else ""
        labels.append(EndLabel(f"{end.framework}{until}", height, color))
    return labels


def _year_ticks(figure: go.Figure, first: float, last: float) -> None:
    years = range(math.floor(first), math.ceil(last) + 1)
    every = max(1, math.ceil(len(years) / 8))
    air = max(0.02 * (last - first), 0.15)
    figure.update_xaxes(
        tickvals=[year for year in years if (year - years[0]) % every == 0],
        tickformat="d",
        tickangle=0,
        range=[first - air, last + air],
    )


def _mark_breaks(figure: go.Figure, sketch: Sketch, shown: pd.DataFrame) -> None:
    """A dotted line where the source changed its way of counting, with what it counts from there on."""
    starts = shown.groupby(shown["population"].fillna(""))["position"].min().sort_values()
    for population, start in list(starts.items())[1:]:
        figure.add_shape(
            type="line",
            x0=start,
            x1=start,
            y0=0,
            y1=1,
            yref="paper",
            line={"dash": "dot", "width": 1, "color": theme.GREY},
        )
        sketch.add_annotation(
            x=start,
            xshift=-4,
            xanchor="right",
            y=1,
            yref="paper",
            yanchor="top",
            align="right",
            showarrow=False,
            text="from here:<br>" + str(population).rsplit(", ", maxsplit=1)[-1],
            font={"color": theme.GREY},
        )


def _popularity_takeaway(frame: pd.DataFrame, filters: PopularityFilters) -> str:
    label = str(frame["metric_label"].iloc[0])
    if filters.drawn == "index":
        return _growth(frame, label) + not_measured(frame)
    newest = frame[frame["period"] == frame["period"].max()]
    ordered = newest.sort_values("value", ascending=False)
    told = [f"{row.framework} {amount(row.value, row.unit_id)}" for row in records(ordered)]
    unnamed = len(told) - 3
    more = f" and {unnamed} more below" if unnamed > 0 else ""
    return f"{label}, {when(newest['period'].iloc[0])}: {', '.join(told[:3])}{more}." + not_measured(frame)


def _growth(frame: pd.DataFrame, label: str) -> str:
    """Who grew most since the first common period of the newest way of counting."""
    grown = indexed(frame)
    if grown.empty:
        return f"{label}: no period has a figure above zero."
    newest = grown[grown["period"] == grown["period"].max()].sort_values("drawn_value", ascending=False)
    base = grown[grown["population"].fillna("") == newest["population"].fillna("").iloc[0]]["period"].min()
    told = [f"{row.framework} ×{theme.times(row.drawn_value / 100)}" for row in records(newest.head(3))]
    return f"{label}, from {when(base)} to {when(newest['period'].iloc[0])}: {', '.join(told)}."


COLUMNS = {
    "framework": "Framework",
    "category": "Category",
    "metric_label": "Signal",
    "period": "Period",
    "value": "Published value",
    "count_rank": "Rank",
    "counted": "Names counted",
    "population": "Counted among",
    "series": "Counted as",
    "publisher": "Who counts",
    "note": "Note",
    "published": "Published",
    "attribution": "Read as",
    "url": "Address",
}

popularity = register(
    Chart(
        id="framework-popularity",
        topic="frameworks",
        title="How popular, by one signal",
        question="How did the use of each framework develop, by the signal that you trust?",
        reading="A line is one framework as one source counts it. It breaks where the source has no figure, "
        "where it changed its way of counting (dotted upright) and where another package takes over.",
        filters=PopularityFilters,
        sql="""
SELECT * FROM framework_count
WHERE signal_id = $signal
    AND (len($frameworks::VARCHAR[]) = 0 OR list_contains($frameworks::VARCHAR[], entity_id))
    AND ($tracked_from IS NULL OR year BETWEEN $tracked_from AND $tracked_to)
ORDER BY framework, period
""",
        figure=_popularity,
        takeaway=_popularity_takeaway,
        columns=COLUMNS,
        height=HEIGHT,
    )
)
