"""How many hiring posts name generative AI, month by month; the figures come with a refresh."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Filters, register
from dashboard.charts.adoption import moment
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    capitalised,
    hollow_while_running,
    hover_data,
    label_line_ends,
    records,
    so_far,
    spoken,
    title_above,
    years_at_their_middle,
)
from dashboard.charts.rows import column_titles

HEIGHT = 460


class PostsFilters(Filters):
    """Posts have no filter yet."""


def _words(row: Any) -> str:
    """One share with the posts behind it; the expression that was searched for stands in the table."""
    posts = str(row.note).partition(" match ")[0]
    when = spoken(row.period) + so_far(row, ", ")
    return f"{capitalised(row.segment)}, {when}: {theme.exact(row.value)}% ({posts})"


def _posts(frame: pd.DataFrame, filters: PostsFilters) -> go.Figure:
    """A line a term; the month that goes on is hollow."""
    figure, sketch, ends = go.Figure(), Sketch(), []
    frame = frame.assign(at=frame["period"].map(moment))
    for rank, (term, line) in enumerate(frame.groupby("segment"), start=1):
        color = theme.hue(rank)
        sketch.add_scatter(
            x=line["at"],
            y=line["value"],
            mode="lines+markers",
            name=term,
            customdata=hover_data(line, _words),
            hovertemplate=HOVER,
            line={"color": color, "width": 2},
            marker={
                "color": color,
                "size": 6,
                "symbol": hollow_while_running(line["status"]),
            },
        )
        last = line["value"].iloc[-1]
        ends.append(EndLabel(f"{capitalised(str(term))} {theme.percent(last)}", float(last), color))
    sketch.onto(figure)
    label_line_ends(figure, ends, (0.0, max(float(frame["value"].max()) * 1.08, 1.0)), HEIGHT)
    years_at_their_middle(figure, frame["at"])
    figure.update_yaxes(ticksuffix="%")
    title_above(figure, "Share of the posts, percent")
    return figure


def _posts_takeaway(frame: pd.DataFrame, filters: PostsFilters) -> str:
    """The newest month that is over, the commonest term first, and how it began."""
    closed = frame[frame["status"] != "partial"]
    shown = frame if closed.empty else closed
    newest = shown[shown["period"] == shown["period"].max()].sort_values(
        "value", ascending=False, kind="stable"
    )
    first, *others = records(newest)
    start = next(records(shown[shown["segment"] == first.segment]))
    text = (
        f"{spoken(first.period)}: {theme.percent(first.value)} of the hiring posts on {first.publisher} name "
        f"{first.segment}"
    )
    if start.period != first.period:
        text += f", after {theme.percent(start.value)} in {spoken(start.period)}"
    if others:
        text += f"; then {others[0].segment}, {theme.percent(others[0].value)}"
    return f"{text}."


posts = register(
    Chart(
        id="hiring-posts",
        topic="careers",
        title="Generative AI in hiring posts",
        question="How many hiring posts name generative AI, and what do they call it?",
        reading="A line is the part of a month’s posts that names the term, counted by this project in the "
        "“Who is hiring?” threads of Hacker News; a hollow mark is the month that goes on. A post can name "
        "several terms, so the lines do not add up. The table has the expression that was searched for.",
        filters=PostsFilters,
        sql="""
SELECT * FROM observation_figure
WHERE metric_id = 'hiring_post_share' AND NOT is_repeat
ORDER BY segment, period, claim_id
""",
        figure=_posts,
        takeaway=_posts_takeaway,
        columns=column_titles(segment="Term", note="How it was counted"),
        height=HEIGHT,
        is_behind_more=True,
        needs_refresh=True,
    )
)
