"""Research works by year and country; the figures come with a refresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, register
from dashboard.charts.frameworks import amount
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    hollow_while_running,
    hover_data,
    label_line_ends,
    records,
    so_far,
    title_above,
    year_axis,
)
from dashboard.charts.rows import about, column_titles, place_hues, standing_out, the
from dashboard.charts.workforce import IN_YEARS, WorkforceFilters, missing_note

HEIGHT = 500
MOST_LINES = 8


class WorksFilters(WorkforceFilters):
    """Filters of the research works: on what."""

    works: Annotated[
        Literal["genai", "ai"],
        Control(
            "Works on",
            labels={"genai": "Generative AI", "ai": "All of AI"},
            help="Counted by different indexes with different searches: the levels do not compare.",
            is_primary=True,
        ),
    ] = "genai"


def _works_words(row: Any) -> str:
    return about(f"{row.place}, {row.period}{so_far(row, ', ')}: {theme.exact(row.value)} works", row.note)


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest year of each place that is over, or the running one if there is no other; the most first."""
    order = frame.assign(over=frame["status"] != "partial").sort_values(["over", "year"], kind="stable")
    newest = order.groupby("entity_id").tail(1)
    return newest.sort_values(["value", "entity_id"], ascending=[False, True])


def _named(frame: pd.DataFrame, places: Sequence[str]) -> list[str]:
    """The places whose lines stand out: the reader's, or those with the most works."""
    return standing_out(list(_newest(frame)["entity_id"]), places, MOST_LINES)


def _works(frame: pd.DataFrame, filters: WorksFilters) -> go.Figure:
    """A line a place; the running year is hollow."""
    figure, sketch, ends = go.Figure(), Sketch(), []
    named = _named(frame, filters.places)
    hues = place_hues(frame, named)
    for entity, line in sorted(frame.groupby("entity_id"), key=lambda pair: pair[0] in named):
        is_named = entity in hues
        color = hues.get(str(entity), theme.FAINT)
        sketch.add_scatter(
            x=line["year"],
            y=line["value"],
            mode="lines+markers",
            name=str(line["place"].iloc[0]),
            customdata=hover_data(line, _works_words),
            hovertemplate=HOVER,
            line={"color": color, "width": 2 if is_named else 1},
            marker={
                "color": color,
                "size": 7 if is_named else 4,
                "symbol": hollow_while_running(line["status"]),
            },
        )
        if is_named:
            last = next(records(line.tail(1)))
            ends.append(
                EndLabel(f"{last.place} {amount(last.value, last.unit_id)}", float(last.value), color)
            )
    sketch.onto(figure)
    label_line_ends(figure, ends, (0.0, float(frame["value"].max()) * 1.06), HEIGHT)
    year_axis(figure, int(frame["year"].min()), int(frame["year"].max()))
    figure.update_yaxes(tickformat=",")
    title_above(figure, "Works published in the year")
    return figure


def _works_takeaway(frame: pd.DataFrame, filters: WorksFilters) -> str:
    newest = list(records(_newest(frame)))
    chosen = [row for row in newest if row.entity_id in filters.places]
    first = (chosen or newest)[0]
    start = next(records(frame[frame["entity_id"] == first.entity_id]))
    what = "generative AI" if filters.works == "genai" else "AI"
    text = (
        f"In {first.year}{so_far(first)} {first.publisher} counts {first.value:,.0f} works on {what} in "
        f"{the(first.place)}"
    )
    if start.year != first.year:
        text += f", after {start.value:,.0f} in {start.year}"
    others = [row for row in chosen or newest if row.place_kind == "country" and row is not first][:2]
    if others:
        text += "; " + ", ".join(f"{row.value:,.0f} in {the(row.place)}" for row in others)
    return f"{text}.{missing_note(frame, filters.places)}"


works = register(
    Chart(
        id="research-works",
        topic="adoption",
        title="Research on generative AI",
        question="How many research works name generative AI, and in which countries are they written?",
        reading="A line is one place; without a choice those with the most works stand out. A hollow mark is "
        "the year that goes on. A work counts once for each country of its authors, so that countries add "
        "up to more than the world.",
        filters=WorksFilters,
        sql=f"""
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE metric_id = CASE $works WHEN 'ai' THEN 'ai_publications' ELSE 'genai_publications' END
    AND is_whole_year AND NOT is_repeat AND {IN_YEARS}
ORDER BY place, year, claim_id
""",  # noqa: S608  # constants only
        figure=_works,
        takeaway=_works_takeaway,
        columns=column_titles(note="How it was counted"),
        height=HEIGHT,
        is_behind_more=True,
        needs_refresh=True,
    )
)
