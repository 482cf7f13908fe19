"""Careers: the order in which the road map puts the skills, and how often postings ask for each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    Sketch,
    counted,
    hover_data,
    records,
    spoken,
    spread_bar,
    title_above,
    wrapped,
)

MOST_ROWS = 26
SMALL_SAMPLE = 100
WHOLE_SAMPLE = "whole sample"
# A part of a sample wears its colour everywhere; grey is for what one page says of some other part.
WORK_COLORS = {
    WHOLE_SAMPLE: theme.BLUE,
    "works on AI": theme.VERMILION,
    "works near AI": theme.GREEN,
    "machine-learning work under an AI title": theme.PURPLE,
}
_COMMON_SAMPLE = "luke-barousse-2024-github-com-excel-data-analytics-course-2"
_COLUMNS = {
    "role": "Role",
    "asked_for": "What the postings name",
    "skill": "Skill of the road map",
    "value": "Share of postings (%)",
    "sample_size": "Postings counted",
    "sample": "Sample",
    "work": "Part of the sample",
    "sample_place": "Place",
    "period": "When",
    "publisher": "Publisher",
    "published": "Published",
    "attribution": "How it was read",
    "url": "Address",
}


# --- the road map ---------------------------------------------------------------------------------

KNOWN, NEXT, LATER, BESIDE = "known", "next", "later", "beside the path"


def path_states(skills: pd.DataFrame, known: Collection[str]) -> pd.Series:
    """Where each skill stands for a reader: known, next, later, or beside the path.

    In each category the path leads from level to level: next is what is not yet known on the lowest level
    that has something to learn. A skill that the road map puts on no level is beside the path.

    Args:
        skills: rows of the mart skill_path.
        known: the skills that the reader knows.
    """
    is_known = skills["skill_id"].isin(list(known))
    has_level = skills["level_order"].notna()
    open_levels = skills["level_order"].where(~is_known & has_level)
    lowest = open_levels.groupby(skills["category"]).transform("min")
    states = pd.Series(LATER, index=skills.index, dtype="str")
    states[open_levels.notna() & (skills["level_order"] == lowest)] = NEXT
    states[~has_level] = BESIDE
    states[is_known] = KNOWN
    return states


class KnownFilters(Filters):
    """What the reader says they know already."""

    known: Annotated[
        list[str],
        Control(
            "What you know",
            "SELECT skill_id, skill FROM skill_path ORDER BY category_order, level_order NULLS LAST, skill",
            help="Kept in the address: bookmark it or send it on.",
            is_primary=True,
            all_label="Nothing marked yet",
            width=640,
        ),
    ] = []


# --- what postings ask for ------------------------------------------------------------------------


class FrequencyFilters(KnownFilters):
    """Filters of the skills that postings for one role name."""

    asking: Annotated[
        str,
        Control(
            "Role",
            "SELECT role_id, role FROM posting_share WHERE metric_id = 'skill_share_of_postings' "
            "GROUP BY ALL ORDER BY count(*) DESC, role",
            is_primary=True,
        ),
    ] = "role-ai-engineer"
    hiring: Annotated[
        str,
        Control(
            "Postings from",
            "SELECT '' AS value, 'Everywhere' AS label UNION ALL "
            "(SELECT DISTINCT place_id, sample_place FROM posting_share WHERE place_id IS NOT NULL "
            "ORDER BY sample_place)",
            is_primary=True,
            width=180,
        ),
    ] = ""
    named: Annotated[
        Literal["map", "all"],
        Control(
            "Shown",
            labels={"map": "Skills of the road map", "all": "Everything counted"},
            is_primary=True,
        ),
    ] = "map"


def _share_words(row: Any) -> str:
    """One measured share as a sentence."""
    of = (
        f"of {row.sample_size:,} postings" if pd.notna(row.sample_size) else "of postings, number not stated,"
    )
    part = f"<br>{row.work}" if pd.notna(row.work) else ""
    when = spoken(row.period) if pd.notna(row.period) else "undated"
    what = f"{theme.exact(row.value)}% {of} for {row.role} name {row.asked_for}"
    return f"{what}<br>{wrapped(row.sample, 60)}, {when}{part}"


def _frequency(frame: pd.DataFrame, filters: FrequencyFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    extent = frame.groupby("asked_for")["value"].agg(["min", "max"])
    extent = extent.sort_values("max", ascending=False).head(MOST_ROWS)
    shown = frame[frame["asked_for"].isin(extent.index)]
    ticked = set(shown.loc[shown["skill_id"].isin(filters.known), "asked_for"])
    names = {name: ("✓ " if name in ticked else "") + wrapped(str(name), 26) for name in extent.index}
    for name, low, high in extent.itertuples():
        spread_bar(sketch, [low, high], [names[name]] * 2, width=5)
    parts = shown["work"].fillna(WHOLE_SAMPLE)
    for part in [*WORK_COLORS, *sorted(set(parts) - set(WORK_COLORS))]:
        if (parts == part).any():
            _draw_part(sketch, shown[parts == part], str(part), names)
    sketch.onto(figure)
    figure.update_yaxes(
        categoryorder="array", categoryarray=[names[name] for name in extent.index[::-1]], showgrid=True
    )
    top = max(float(shown["value"].max()), 1.0)
    figure.update_xaxes(
        showgrid=True,
        tickangle=0,
        range=[-0.04 * top, 1.05 * top],
        ticksuffix="%",
        title="Share of postings that name it",
    )
    figure.update_traces(showlegend=False, selector={"name": "spread"})
    figure.update_layout(showlegend=parts.nunique() > 1)
    return figure


def _draw_part(sketch: Sketch, rows: pd.DataFrame, part: str, names: dict[Any, str]) -> None:
    """The marks of one part of the samples; hollow where few postings, or an unknown number, were read."""
    color = WORK_COLORS.get(part, theme.GREY)
    is_thin = rows["sample_size"].isna() | (rows["sample_size"].astype("float") < SMALL_SAMPLE)
    sketch.add_scatter(
        x=rows["value"],
        y=rows["asked_for"].map(names),
        mode="markers",
        name=part,
        customdata=hover_data(rows, _share_words),
        hovertemplate=HOVER,
        cliponaxis=False,
        marker={
            "color": color,
            "size": 10,
            "symbol": ["circle-open" if thin else "circle" for thin in is_thin],
            "line": {"width": 2, "color": color},
        },
    )


def _span(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{theme.exact(high)}%" if low == high else f"{theme.exact(low)}% to {theme.exact(high)}%"


def _frequency_takeaway(frame: pd.DataFrame, filters: FrequencyFilters) -> str:
    groups = frame.groupby("asked_for")["value"]
    order = groups.max().sort_values(ascending=False, kind="stable").index
    first = groups.get_group(order[0])
    where = frame["sample_place"].iloc[0] if filters.hiring else ""
    text = (
        f"Postings for {frame['role'].iloc[0]}{f' in {where}' if where else ''} name {order[0]} most: "
        f"{_span(first)} of them"
    )
    text += f", depending on which of {counted(len(first), 'sample')} one asks" if len(first) > 1 else ""
    if len(order) > 1:
        text += f"; then {order[1]}, {_span(groups.get_group(order[1]))}"
    return text + "."


frequency = register(
    Chart(
        id="skill-frequency",
        topic="careers",
        title="What postings ask for",
        question="How often do job postings for a role name each skill?",
        reading="A mark is the share of one sample of postings that names the skill or tool. Colours "
        "tell parts of a sample apart; hollow marks rest on fewer than 100 postings or on a number that "
        "is not stated. A tick stands before what you marked as known. Tools count for the skill that "
        "the guide names them for.",
        filters=FrequencyFilters,
        sql="""
SELECT * FROM posting_share
WHERE metric_id = 'skill_share_of_postings' AND NOT is_repeat AND role_id = $asking
    AND ($hiring = '' OR place_id = $hiring) AND ($named = 'all' OR skills IS NOT NULL)
ORDER BY value DESC, claim_id
""",
        figure=_frequency,
        takeaway=_frequency_takeaway,
        columns=_COLUMNS,
        height=700,
    )
)


class RoleFilters(Filters):
    """The sample in which roles are compared."""

    study: Annotated[
        str,
        Control(
            "Sample",
            "SELECT source_id, any_value(publisher) || ', ' || min(coalesce(period, 'undated')) AS label "
            "FROM posting_share WHERE metric_id = 'skill_share_of_postings' AND NOT is_repeat "
            "GROUP BY source_id HAVING count(DISTINCT role_id) > 1 ORDER BY count(*) DESC",
            help="Roles are compared within one sample only: samples differ in place, year and method.",
            is_primary=True,
            width=280,
        ),
    ] = _COMMON_SAMPLE


def _role_label(role: str, work: Any) -> str:
    return role if pd.isna(work) else f"{role}, {work}"


def _by_role(frame: pd.DataFrame, filters: RoleFilters) -> go.Figure:
    labels = [_role_label(row.role, row.work) for row in records(frame)]
    shown = frame.assign(column=labels)
    columns = list(shown.groupby("column")["value"].max().sort_values(ascending=False).index)
    rows = list(shown.groupby("asked_for")["value"].max().sort_values().index)
    figure = go.Figure()
    # Strong marks carry white numbers, weak ones the colour of the text, which depends on the theme.
    for is_strong in (True, False):
        part = shown[(shown["value"] >= 25) == is_strong]
        figure.add_scatter(
            x=part["column"],
            y=part["asked_for"],
            mode="markers+text",
            text=[f"{value:.0f}" for value in part["value"]],
            textfont={"size": 12, **({"color": "#ffffff"} if is_strong else {})},
            customdata=hover_data(part, _share_words),
            hovertemplate=HOVER,
            cliponaxis=False,
            marker={
                "symbol": "square",
                "size": 23,
                "line": {"width": 0},
                "color": [_tint(value) for value in part["value"]],
            },
        )
    figure.update_xaxes(
        categoryorder="array", categoryarray=columns, side="top", ticks="", tickangle=-90, type="category"
    )
    figure.update_yaxes(categoryorder="array", categoryarray=rows, type="category", showgrid=True)
    return figure


def _tint(percent: float) -> str:
    """Blue, the stronger the larger the share."""
    return f"rgba(0, 114, 178, {0.06 + 0.5 * percent / 25 if percent < 25 else 1:.2f})"


def _by_role_takeaway(frame: pd.DataFrame, filters: RoleFilters) -> str:
    spread = frame.groupby("asked_for")["value"].agg(["min", "max", "count"])
    widest = (spread["max"] - spread["min"]).sort_values(ascending=False).index[0]
    rows = frame[frame["asked_for"] == widest].sort_values("value")
    low, high = next(records(rows)), next(records(rows.iloc[::-1]))
    if len(rows) == 1:
        return (
            f"{theme.exact(high.value)}% of postings for {_role_label(high.role, high.work)} name {widest}."
        )
    return (
        f"Roles differ most over {widest}: {theme.exact(high.value)}% of the postings for "
        f"{_role_label(high.role, high.work)} name it, {theme.exact(low.value)}% of those for "
        f"{_role_label(low.role, low.work)}."
    )


by_role = register(
    Chart(
        id="skill-by-role",
        topic="careers",
        title="The same skill in different roles",
        question="Which roles ask for which skills, counted in one and the same sample?",
        reading="A number is the percentage of the role's postings that name the skill, rounded; the "
        "stronger the blue, the more. A gap means that the sample gives no figure, not that nobody asks.",
        filters=RoleFilters,
        sql="""
SELECT * FROM posting_share
WHERE metric_id = 'skill_share_of_postings' AND NOT is_repeat AND source_id = $study
ORDER BY value DESC, claim_id
""",
        figure=_by_role,
        takeaway=_by_role_takeaway,
        columns=_COLUMNS,
        height=800,
        is_behind_more=True,
    )
)


class TitleFilters(Filters):
    """Titles have no filter yet."""


def _titles(frame: pd.DataFrame, filters: TitleFilters) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=frame["value"],
            y=frame["role"],
            orientation="h",
            marker_color=theme.BLUE,
            text=[f"{theme.exact(value)}%" for value in frame["value"]],
            textposition="outside",
            cliponaxis=False,
            customdata=hover_data(frame, _title_words),
            hovertemplate=HOVER,
        )
    )
    title_above(figure, "Share of the AI postings in the sample, %")
    figure.update_xaxes(visible=False, range=[0, float(frame["value"].max()) * 1.15])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _title_words(row: Any) -> str:
    return f"{theme.exact(row.value)}% are called {row.role}<br>{row.sample}, {spoken(row.period)}"


def _titles_takeaway(frame: pd.DataFrame, filters: TitleFilters) -> str:
    top = next(records(frame))
    counter, share = top.publisher, theme.exact(top.value)
    text = f"{share}% of the AI postings that {counter} counted carry the title {top.role}"
    prompt = frame[frame["role_id"] == "role-prompt-engineer"]
    if not prompt.empty:
        text += f", {theme.exact(prompt['value'].iloc[0])}% for Prompt Engineer"
    return text + "."


titles = register(
    Chart(
        id="job-titles",
        topic="careers",
        title="What the jobs are called",
        question="Which titles do AI postings carry?",
        reading="A bar is the part of one sample of AI postings that carries the title. Work of the same "
        "kind is also offered under other titles.",
        filters=TitleFilters,
        sql="""
SELECT * FROM posting_share
WHERE metric_id = 'title_share_of_ai_postings' AND NOT is_repeat AND work IS NULL
ORDER BY value DESC, claim_id
""",
        figure=_titles,
        takeaway=_titles_takeaway,
        columns={name: heading for name, heading in _COLUMNS.items() if name not in {"asked_for", "skill"}},
        height=340,
        is_behind_more=True,
    )
)
