"""Workforce: how many people are said to work in AI by which definition, who wins talent, who hires."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    AXES_HEIGHT,
    HOVER,
    Sketch,
    capitalised,
    counted,
    hover_rows,
    records,
    spoken,
    title_above,
    wrapped,
)
from dashboard.charts.rows import (
    Block,
    Ranking,
    about,
    column_titles,
    people,
    place_hues,
    ranked_bars,
    stack,
    the,
)

Places = Annotated[
    list[str],
    Control(
        "Places to point out",
        "SELECT DISTINCT entity_id, place FROM observation_figure "
        "WHERE topic IN ('workforce', 'adoption') AND place_kind IN ('world', 'region', 'country') AND NOT "
        "is_repeat "
        "ORDER BY place",
        help="They keep their colour; all others turn grey.",
        is_primary=True,
        all_label="None in particular",
    ),
]
Years = Annotated[
    tuple[int, int] | None,
    Control(
        "Years",
        # Notable models reach back to 1950 and are drawn up to a year, not between two.
        "SELECT min(year), max(year) FROM observation_figure WHERE topic IN ('workforce', 'adoption') "
        "AND metric_id <> 'notable_ai_models'",
        is_primary=True,
    ),
]
IN_YEARS = "($years_from IS NULL OR year BETWEEN $years_from AND $years_to)"


class WorkforceFilters(Filters):
    """Filters that all charts of the page understand."""

    places: Places = []
    years: Years = None


def is_faint(entity: str, places: Sequence[str], present: Sequence[str]) -> bool:
    """Whether a place steps back because the reader points out others that are there."""
    return bool(set(places) & set(present)) and entity not in places


def missing_note(frame: pd.DataFrame, places: Sequence[str]) -> str:
    """A sentence on chosen places without a figure here, or nothing."""
    absent = [place for place in places if place not in set(frame["entity_id"])]
    return f" No figure for {counted(len(absent), 'place')} of your choice." if absent else ""


# --- workforce-total ----------------------------------------------------------------------------------------

TOTAL_HEIGHT = 980
_TOTAL_SQL = f"""
SELECT figure.*, metric.definition, place_rank
FROM observation_figure AS figure
JOIN metric USING (metric_id)
LEFT JOIN place_rank USING (entity_id)
WHERE figure.topic = 'workforce' AND NOT is_repeat AND place_kind IN ('world', 'region', 'country')
    AND metric_id IN (
        'genai_professionals', 'ai_professionals', 'ai_workers', 'ai_talent_pool', 'ai_authors_and_inventors',
        'occupation_employment', 'software_developer_population'
    )
    AND (metric_id <> 'occupation_employment' OR place_kind = 'country' AND segment <> 'software developers')
    AND {IN_YEARS}
ORDER BY
    max(value) OVER (PARTITION BY metric_id) DESC, metric_id,
    max(value) OVER (PARTITION BY metric_id, publisher, entity_id, segment) DESC, entity_id, segment,
    period, claim_id
"""  # noqa: S608  # constants only


def _total_words(row: Any) -> str:
    """What a head count says, for the hover."""
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    expected = ", forecast" if row.status == "forecast" else ""
    return about(
        f"{row.metric_label}{part}: {theme.exact(row.value)}, {row.place}, {spoken(row.period)}{expected}",
        row.note,
    )


def _total_label(row: Any) -> str:
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    return wrapped(f"{row.place} {row.year}{part}: {people(row.value)}", 30)


def _total_blocks(frame: pd.DataFrame) -> list[Block]:
    """One block a metric; one row a line of figures: same publisher, place and part."""
    blocks = []
    for label, metric in frame.groupby("metric_label", sort=False):
        lines: dict[tuple[str, ...], list[Any]] = {}
        for row in records(metric):
            lines.setdefault((row.publisher, row.entity_id, str(row.segment)), []).append(row)
        who = " and ".join(dict.fromkeys(metric["publisher"]))
        note = wrapped(metric["definition"].iloc[0], 58).split("<br>")
        heights = [20 + 15 * _total_label(rows[-1]).count("<br>") for rows in lines.values()]
        heading = wrapped(f"{label}, {who}", 50).split("<br>")
        blocks.append(Block(heading, note, list(lines.values()), heights))
    return blocks


def _total(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    blocks = _total_blocks(frame)
    middles = stack(figure, blocks, TOTAL_HEIGHT - AXES_HEIGHT)
    low, high = math.log10(frame["value"].min()) - 0.25, math.log10(frame["value"].max()) + 0.25
    present = list(frame["entity_id"])
    hues = place_hues(frame, sorted(set(present)))
    for (block, line), y in middles.items():
        rows = blocks[block].rows[line]
        color = (
            theme.GREY if is_faint(rows[0].entity_id, filters.places, present) else hues[rows[0].entity_id]
        )
        _total_line(sketch, rows, y, color, (low, high))
    sketch.onto(figure)
    powers = range(math.floor(low), math.ceil(high) + 1)
    figure.update_xaxes(
        type="log",
        range=[low, high],
        tickvals=[10.0**power for power in powers],
        ticktext=[people(10.0**power) if power >= 0 else "" for power in powers],
        showgrid=True,
    )
    title_above(figure, "People (log scale)")
    return figure


def _total_line(sketch: Sketch, rows: list[Any], y: float, color: str, ends: tuple[float, float]) -> None:
    """The figures of one publisher for one place, oldest to newest; the newest is written out."""
    sketch.add_scatter(
        x=[row.value for row in rows],
        y=[y] * len(rows),
        mode="lines+markers",
        name=rows[0].place,
        customdata=hover_rows(rows, _total_words),
        hovertemplate=HOVER,
        line={"color": color, "width": 1},
        marker={
            "color": color,
            "size": [7] * (len(rows) - 1) + [11],
            "opacity": 1.0,
            "symbol": ["circle-open" if row.status == "forecast" else "circle" for row in rows],
            "line": {"width": 2, "color": color},
        },
    )
    values = [math.log10(row.value) for row in rows]
    is_left = ends[1] - max(values) > min(values) - ends[0]  # the words stand where there is more room
    sketch.add_annotation(
        x=max(values) if is_left else min(values),
        y=y,
        text=_total_label(rows[-1]),
        showarrow=False,
        xanchor="left" if is_left else "right",
        xshift=9 if is_left else -9,
        align="left" if is_left else "right",
        font={"color": color},
    )


def _total_takeaway(frame: pd.DataFrame, filters: WorkforceFilters) -> str:
    worldwide = frame[
        (frame["entity_id"] == "world") & (frame["metric_id"] != "software_developer_population")
    ]
    if worldwide["metric_id"].nunique() < 2:
        top = max(records(frame), key=lambda row: float(row.value))
        return (
            f"{counted(len(frame), 'figure')} under {counted(frame['metric_id'].nunique(), 'definition')}; "
            f"the largest is {people(top.value)}: {top.metric_label}, {top.place}, {top.year} "
            f"({top.publisher})."
        ) + missing_note(frame, filters.places)
    newest = worldwide.sort_values("period").groupby("metric_id").tail(1).sort_values("value")
    small, *_, large = records(newest)
    ratio = theme.times(large.value / small.value)
    return (
        f"For the world, {large.publisher} says {people(large.value)} ({large.year}) and {small.publisher} "
        f"{people(small.value)} ({small.year}), {ratio} times fewer: they do not count the same people."
    ) + missing_note(frame, filters.places)


total = register(
    Chart(
        id="workforce-total",
        topic="workforce",
        title="How many people work in AI",
        question="How many people are said to work in AI, by whose definition?",
        reading="A block is one definition, a row the figures of one publisher for one place; the large "
        "mark is the newest and is written out, small marks are earlier years or steps of a forecast. "
        "Hollow marks are forecasts. Figures under different definitions count different people and "
        "do not add up.",
        filters=WorkforceFilters,
        sql=_TOTAL_SQL,
        figure=_total,
        takeaway=_total_takeaway,
        columns=column_titles(segment="Occupation or part", definition="Definition"),
        height=TOTAL_HEIGHT,
    )
)

# --- talent-migration and hiring ----------------------------------------------------------------------------

RANKED_HEIGHT = 440
_FLOWS = "metric_id IN ('net_ai_talent_migration', 'net_inflow_ai_researchers', 'tech_workers_added')"
_HIRING = """metric_id IN (
    'ai_hiring_rate_growth', 'ai_hiring_index', 'ai_job_openings', 'ai_job_postings',
    'genai_skill_job_postings',
    'ai_share_of_tech_postings', 'ai_jobs_created', 'ai_jobs_retained', 'ai_talent_demand'
)"""
_NO_CITY = "place_kind <> 'city' AND NOT is_repeat AND topic = 'workforce'"
_RANKED_SQL = """
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE {} AND metric_id = ${} AND {} AND {}
ORDER BY year DESC, value DESC, claim_id
"""


def _options(which: str) -> str:
    of = f"observation_figure WHERE {_NO_CITY} AND {which}"
    return f"SELECT DISTINCT metric_id, metric_label FROM {of} ORDER BY metric_label"  # noqa: S608  # fixed


class MigrationFilters(WorkforceFilters):
    """Filters of the moves: which count of them."""

    flow: Annotated[str, Control("What is counted", _options(_FLOWS), is_primary=True)] = (
        "net_ai_talent_migration"
    )


class HiringFilters(WorkforceFilters):
    """Filters of hiring: which count of it."""

    hired: Annotated[str, Control("What is counted", _options(_HIRING), is_primary=True)] = (
        "ai_hiring_rate_growth"
    )


def _ranked_value(row: Any) -> str:
    sign = (
        "+" if row.metric_id in ("ai_hiring_rate_growth", "net_ai_talent_migration") and row.value > 0 else ""
    )
    least = "at least " if row.bound == "at_least" else "about " if row.bound == "about" else ""
    unit = "%" if row.unit_id == "percent" else ""
    return f"{least}{sign}{people(row.value)}{unit}"


def _ranked_words(row: Any) -> str:
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    expected = ", forecast" if row.status == "forecast" else ""
    return about(
        f"{row.place}{part}, {spoken(row.period)}{expected}: {_ranked_value(row)} ({row.unit_label})",
        row.note,
    )


def _ranked(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    present = list(frame["entity_id"])
    newest = frame["year"].max()
    several = frame["publisher"].nunique() > 1

    def label(row: Any) -> str:
        name = row.place if pd.isna(row.segment) else capitalised(row.segment)
        who = f", {row.publisher}" if several else ""
        return f"{name} {_ranked_value(row)} ({spoken(row.period)}{who})"

    def color(row: Any) -> str:
        if is_faint(row.entity_id, filters.places, present):
            return theme.GREY
        return theme.BLUE if row.year == newest else theme.SKY

    first = next(records(frame))
    return ranked_bars(
        frame,
        Ranking(
            value="value",
            label=label,
            words=_ranked_words,
            title=wrapped(f"{first.metric_label}, {first.unit_label}", 52),
            color=color,
            hollow=lambda row: row.status == "forecast",
            suffix="%" if first.unit_id == "percent" else "",
        ),
    )


def _ranked_takeaway(frame: pd.DataFrame, filters: WorkforceFilters) -> str:
    newest = frame[frame["year"] == frame["year"].max()]
    rows = list(records(newest))
    first = rows[0]
    part = "" if pd.isna(first.segment) else f", {first.segment}"
    text = (
        f"{first.metric_label}{part}, {spoken(first.period)}: {_ranked_value(first)} in {the(first.place)} "
        f"({first.publisher})"
    )
    others = [row for row in rows[1:] if row.entity_id != first.entity_id]
    if others:
        text += f", ahead of {the(others[0].place)} with {_ranked_value(others[0])}"
    earlier = [row for row in records(frame) if row.entity_id == first.entity_id and row.year < first.year]
    same = [row for row in earlier if row.publisher == first.publisher and _same_part(row, first)]
    if same:
        text += f", after {_ranked_value(same[0])} in {spoken(same[0].period)}"
    if newest["entity_id"].nunique() == 3:
        text += f"; only three places were printed for {first.year}"
    if first.unit_id == "unstated":
        text += "; the source prints no unit"
    return f"{text}.{missing_note(frame, filters.places)}"


def _same_part(row: Any, other: Any) -> bool:
    return bool(row.segment == other.segment or (pd.isna(row.segment) and pd.isna(other.segment)))


migration = register(
    Chart(
        id="talent-migration",
        topic="workforce",
        title="Who wins talent",
        question="Which countries win or lose AI people by migration?",
        reading="A bar is one published figure; to the left of zero more people left than came. Light bars "
        "are older. The reports that were read print the leaders only: a country that is not here is "
        "not known to lose.",
        filters=MigrationFilters,
        sql=_RANKED_SQL.format(_FLOWS, "flow", _NO_CITY, IN_YEARS),
        figure=_ranked,
        takeaway=_ranked_takeaway,
        columns=column_titles(),
        height=RANKED_HEIGHT,
    )
)
hiring = register(
    Chart(
        id="hiring",
        topic="workforce",
        title="Who hires",
        question="Where does hiring for AI grow, and how many jobs are on offer?",
        reading="A bar is one published figure; the newest year comes first, light bars are older, hollow "
        "ones are forecasts. Reports print leaders only. One thing counted at a time: postings, "
        "openings and hires are not the same.",
        filters=HiringFilters,
        sql=_RANKED_SQL.format(_HIRING, "hired", _NO_CITY, IN_YEARS),
        figure=_ranked,
        takeaway=_ranked_takeaway,
        columns=column_titles(segment="Skill"),
        height=RANKED_HEIGHT,
    )
)
