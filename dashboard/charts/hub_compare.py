"""Cities side by side, and where one place stands in every list that names it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, empty_figure, register
from dashboard.charts.hub_figures import (
    COLUMNS,
    HOME_PLACE,
    PRICES,
    PlaceFilters,
    counts_on_log,
    hover,
    shown,
)
from dashboard.charts.marks import HOVER, Sketch, capitalised, records, spoken, wrapped

MOST_COMPARED = 5
COMPARE_HEIGHT = 620
ROW = 19  # pixels of one bar
HEAD = 1.35  # rows that the heading of a block takes, with the gap above
MOST_LISTS = 12
MOST_LETTERS = 90
PROFILE_HEIGHT = 640


class CompareFilters(Filters):
    """Which cities are compared."""

    cities: Annotated[
        list[str],
        Control(
            "Cities (two to five)",
            """
            SELECT
                entity_id,
                place || CASE WHEN count(*) OVER same > 1 THEN ', ' || country ELSE '' END AS label
            FROM (SELECT DISTINCT entity_id, place, country FROM hub_figure WHERE place_kind = 'city')
            WINDOW same AS (PARTITION BY place)
            ORDER BY label
            """,
            is_primary=True,
            all_label="Choose cities",
            width=520,
        ),
    ] = ["london-gb", HOME_PLACE, "bengaluru-in"]


def _order(frame: pd.DataFrame, filters: CompareFilters) -> list[str]:
    """The cities that are drawn, in the order of the choice."""
    there = set(frame["entity_id"])
    return [city for city in dict.fromkeys(filters.cities) if city in there][:MOST_COMPARED]


def _common(frame: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """The lists that name most of the cities, those on AI and the newest first."""
    drawn = frame[frame["entity_id"].isin(order)]
    lists = drawn.groupby("list_id").agg(
        named=("entity_id", "nunique"), has_part=("part", "count"), newest=("year", "max")
    )
    lists = lists.assign(is_part=lists["has_part"] > 0).reset_index()
    return lists.sort_values(["named", "is_part", "newest", "list_id"], ascending=[False, False, False, True])


def _compare(frame: pd.DataFrame, filters: CompareFilters) -> go.Figure:
    order = _order(frame, filters)
    if not order:
        return empty_figure()
    most = max(int((COMPARE_HEIGHT - 20) / ROW / (len(order) + HEAD)), 1)
    names = frame.drop_duplicates("entity_id").set_index("entity_id")["place"]
    figure, sketch = go.Figure(), Sketch()
    ticks: dict[float, str] = {}
    at = 0.0
    lists = list(_common(frame, order)["list_id"].head(most))
    tops = frame.groupby("list_id")["shown_value"].max()
    rows: dict[str, dict[str, Any]] = {list_id: {} for list_id in lists}
    for row in records(frame[frame["list_id"].isin(lists)]):
        rows[row.list_id].setdefault(row.entity_id, row)
    for list_id in lists:
        label = next(iter(rows[list_id].values())).list_label
        heading = label + (", United States = 100" if list_id == PRICES else "")
        sketch.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=-at - HEAD / 2 - 0.1,
            text=f"<b>{heading}</b>",
            showarrow=False,
        )
        at += HEAD
        heights = [-(at + position) - 0.5 for position in range(len(order))]
        ticks |= {height: names[city] for height, city in zip(heights, order, strict=True)}
        top = max(float(tops[list_id]), 1e-9)
        _add_block(sketch, rows[list_id], top, dict(zip(order, heights, strict=True)))
        at += len(order)
    sketch.onto(figure)
    figure.update_xaxes(range=[0, 1.95], visible=False)
    figure.update_yaxes(
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
        range=[-at - 0.3, 0.1],
        showgrid=False,
        ticklabelstandoff=6,
    )
    figure.update_layout(bargap=0.2, barmode="overlay")
    return figure


def _add_block(sketch: Sketch, rows: dict[str, Any], top: float, heights: dict[str, float]) -> None:
    """One list: a bar a city from zero, its figure and year written at its end, or that there is none."""
    for position, (city, height) in enumerate(heights.items()):
        if city not in rows:
            sketch.add_annotation(
                x=0, y=height, text="no figure", showarrow=False, xanchor="left", font={"color": theme.GREY}
            )
            continue
        row = rows[city]
        color = theme.PALETTE[position % len(theme.PALETTE)]
        length = max(float(row.shown_value), 0.0) / top
        sketch.add_bar(
            x=[length],
            y=[height],
            orientation="h",
            width=0.72,
            name=row.place,
            marker={"color": color},
            customdata=[[row.claim_id, hover(row), row.entity_id]],
            hovertemplate=HOVER,
        )
        sketch.add_annotation(
            x=length,
            y=height,
            text=f" {shown(row)} ({spoken(row.period)})",
            showarrow=False,
            xanchor="left",
        )


def _compare_takeaway(frame: pd.DataFrame, filters: CompareFilters) -> str:
    order = _order(frame, filters)
    names = frame.drop_duplicates("entity_id").set_index("entity_id")["place"]
    drawn = frame[frame["entity_id"].isin(order)]
    in_all = drawn.groupby("list_id")["entity_id"].nunique()
    shared = int((in_all == len(order)).sum())
    counts = drawn.groupby("entity_id")["list_id"].nunique()
    if len(order) == 1:
        return f"{names[order[0]]} is named by {counts[order[0]]} lists; choose a second city to compare."
    told = ", ".join(f"{names[city]} by {counts[city]}" for city in order)
    text = (
        f"{shared} of {len(in_all)} lists name all {len(order)} cities ({told}): the rest cannot be compared."
    )
    left_out = len(dict.fromkeys(filters.cities)) - len(order)
    return text + (f" Only the first {MOST_COMPARED} are drawn." if left_out else "")


hub_compare = register(
    Chart(
        id="hub-compare",
        topic="hubs",
        title="Cities side by side",
        question="How do these cities compare, figure by figure?",
        reading="One block is one list: what is counted, and who counted it. Bars start at zero and are "
        "drawn to the scale of their own block; the figure and its year stand at the end. Lists "
        "that name most of the cities come first, the table has all of them.",
        filters=CompareFilters,
        sql="""
SELECT * FROM hub_figure
WHERE place_kind = 'city' AND list_contains($cities::VARCHAR[], entity_id) AND shown_unit_id <> 'rank'
ORDER BY list_id, list_position($cities::VARCHAR[], entity_id)
""",
        figure=_compare,
        takeaway=_compare_takeaway,
        columns=COLUMNS,
        height=COMPARE_HEIGHT,
    )
)


def along(rows: pd.DataFrame) -> pd.Series:
    """Where each figure of one list stands between nothing (0) and the largest (1), counts on a log scale."""
    values = rows["shown_value"].astype(float)
    low = min(float(values.min()), 0.0)
    if counts_on_log(rows["shown_unit_id"].iloc[0]) and low == 0:
        values = values.map(math.log1p)
    width = float(values.max()) - low
    return (values - low) / width if width > 0 else values * 0 + 1.0


def _standing(frame: pd.DataFrame, place: str) -> pd.DataFrame:
    """Per list that names the place and at least two others: its row, its rank and the number of places."""
    longer = frame[frame.groupby("list_id")["entity_id"].transform("nunique") >= 3]
    ranked = longer.assign(
        rank=longer.groupby("list_id")["shown_value"].rank(ascending=False, method="min"),
        places=longer.groupby("list_id")["entity_id"].transform("nunique"),
    )
    own = ranked[ranked["entity_id"] == place]
    own = own.assign(is_price=own["list_id"] == PRICES)
    return own.sort_values(["is_price", "places", "list_id"], ascending=[True, False, True])


def _profile(frame: pd.DataFrame, filters: PlaceFilters) -> go.Figure:
    own = _standing(frame, filters.place).head(MOST_LISTS)
    if own.empty:
        return _lone(frame, filters)
    figure, sketch = go.Figure(), Sketch()
    drawn = frame[frame["list_id"].isin(own["list_id"])]
    values = drawn[["list_id", "shown_value", "shown_unit_id"]].groupby("list_id")
    spots = pd.concat([along(values_of_list) for _, values_of_list in values])
    marks: dict[tuple[str, bool], list[Any]] = {}
    for mark in records(drawn.assign(spot=spots)):
        marks.setdefault((mark.list_id, mark.entity_id == filters.place), []).append(mark)
    for position, row in enumerate(records(own)):
        _add_marks(sketch, marks[row.list_id, False], -position, theme.FAINT, 7)
        _add_marks(sketch, marks[row.list_id, True], -position, theme.BLUE, 12)
        _name_row(sketch, row, -position)
    sketch.onto(figure)
    figure.update_yaxes(
        tickvals=[-position for position in range(len(own))],
        showticklabels=False,
        range=[-max(len(own), 4) + 0.7, 0.7],
        showgrid=True,
        zeroline=False,
    )
    figure.update_xaxes(range=[-0.03, 1.03], visible=False)
    figure.update_layout(margin_r=132)
    return figure


def _name_row(sketch: Sketch, row: Any, height: float) -> None:
    """What the list counts, above the row, and the figure with its rank at the end."""
    label = f"{row.list_label}, {spoken(row.period)}"
    if len(label) > MOST_LETTERS:  # the whole name stands in the text of the marks
        label = re.sub(r" \([^)]*\)", "", label)
    sketch.add_annotation(
        x=0,
        xref="paper",
        xanchor="left",
        y=height + 0.16,
        yanchor="bottom",
        text=wrapped(label, 56),
        showarrow=False,
        align="left",
        font={"size": 11},
    )
    sketch.add_annotation(
        x=1.01,
        xref="paper",
        xanchor="left",
        y=height,
        text=f"<b>{shown(row)}</b>, {row.rank:.0f} of {row.places}",
        showarrow=False,
    )


def _add_marks(sketch: Sketch, rows: Sequence[Any], height: float, color: str, size: int) -> None:
    sketch.add_scatter(
        x=np.array([row.spot for row in rows]),
        y=[height] * len(rows),
        mode="markers",
        name="place",
        customdata=[[row.claim_id, hover(row), row.entity_id] for row in rows],
        hovertemplate=HOVER,
        marker={"size": size, "color": color},
    )


def _lone(frame: pd.DataFrame, filters: PlaceFilters) -> go.Figure:
    """What is drawn of a place that no longer list names: that there is nothing to set it against."""
    figure = empty_figure()
    name = frame.loc[frame["entity_id"] == filters.place, "place"].iloc[0]
    figure.layout.annotations[
        0
    ].text = f"No list with three places or more names {name};<br>its figures stand in the table."
    return figure


def _profile_takeaway(frame: pd.DataFrame, filters: PlaceFilters) -> str:
    own = frame[frame["entity_id"] == filters.place]
    name = own["place"].iloc[0]
    standing = _standing(frame, filters.place)
    judged = standing[standing["list_id"] != PRICES]
    text = f"{name} has a figure in {len(own)} list{'' if len(own) == 1 else 's'}"
    if judged.empty:
        return f"{text}, none of which names three places or more."
    best = judged.sort_values(["rank", "places"], ascending=[True, False]).iloc[0]
    measure, place = capitalised(best["measure"]), f"{best['rank']:.0f} of {best['places']}"
    firsts = int((judged["rank"] == 1).sum())
    if firsts < 2:
        return f"{text}. It stands highest in: {measure} ({place})."
    return (
        f"{text} and the largest one in {firsts} of the {len(judged)} that name three places or more, "
        f"among them: {measure} ({place})."
    )


hub_profile = register(
    Chart(
        id="hub-profile",
        topic="hubs",
        title="Where it stands in every list",
        question="In which lists does this place stand high, and in which low?",
        reading="One row is one list, the blue disc the chosen place, grey discs the other cities (or "
        "countries) of the list, from nothing on the left to the largest figure on the right; "
        "counts and money on a log scale. A high price level is no merit: the rank only says "
        "where the figure stands. Years may differ within a list; the text of a mark says which.",
        filters=PlaceFilters,
        sql="""
SELECT figure.* FROM hub_figure AS figure
JOIN hub_figure AS own ON own.list_id = figure.list_id AND own.place_kind = figure.place_kind
    AND own.entity_id = $place
WHERE figure.shown_unit_id <> 'rank'
ORDER BY figure.entity_id <> $place, figure.list_id, figure.shown_value DESC, figure.entity_id
""",
        figure=_profile,
        takeaway=_profile_takeaway,
        columns=COLUMNS,
        height=PROFILE_HEIGHT,
    )
)
