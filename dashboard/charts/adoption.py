"""Adoption: who uses AI and since when, what developers make of it, what it is used for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    capitalised,
    counted,
    hover_rows,
    label_line_ends,
    records,
    spoken,
    spread_bar,
    title_above,
    wrapped,
    years_at_their_middle,
)
from dashboard.charts.rows import (
    Ranking,
    about,
    column_titles,
    place_hues,
    ranked_bars,
    short,
    the,
)
from dashboard.charts.workforce import IN_YEARS, WorkforceFilters, missing_note

# --- adoption-over-time -------------------------------------------------------------------------------------

OVER_TIME_HEIGHT = 560
MOST_NAMED = 8


def moment(period: str) -> float:
    """Where a period stands on an axis of time: in its middle, be it a month, a quarter or a year."""
    last = period.rsplit("/", maxsplit=1)[-1]
    year, _, part = last.partition("-")
    if not part:
        return int(year) + 0.5
    if part[0] in "QH":
        parts = 4 if part[0] == "Q" else 2
        return int(year) + (int(part[1]) - 0.5) / parts
    return int(year) + (int(part[:2]) - 0.5) / 12


class OverTimeFilters(WorkforceFilters):
    """Filters of adoption over time: who is asked, and whether parts of them are drawn too."""

    who: Annotated[
        Literal["firms", "organisations", "people", "workers"],
        Control(
            "Who",
            labels={
                "firms": "Firms",
                "organisations": "Managers",
                "people": "People",
                "workers": "At work",
            },
            help="Official surveys ask firms of all sizes, panels managers of large ones: levels differ.",
            is_primary=True,
        ),
    ] = "firms"
    parts: Annotated[
        bool,
        Control(
            "Sizes, industries, ages",
            help="Also draw parts of the population: by size, industry, age or purpose.",
            is_primary=True,
        ),
    ] = False


# A part is named by a segment, or by a population that is not the one for which the survey gives most places.
_OVER_TIME_SQL = f"""
WITH asked AS (
    SELECT adopted.*, place_rank,
        count(*) OVER (PARTITION BY publisher, metric_id, population) AS told,
        min(period) OVER (PARTITION BY publisher, metric_id, population) AS since,
        publisher || metric_id || entity_id || coalesce(segment, '') || coalesce(population, '') AS survey
    FROM adoption_by_place AS adopted
    LEFT JOIN place_rank USING (entity_id)
    WHERE unit_id = 'percent' AND place_kind <> 'city' AND list_contains(CASE $who
        WHEN 'firms' THEN ['firms_using_ai', 'firms_paying_for_ai']
        WHEN 'organisations' THEN ['organisations_using_ai', 'organisations_using_genai']
        WHEN 'people' THEN ['genai_users_share', 'chatgpt_ever_used', 'genai_exposure']
        ELSE ['genai_use_at_work', 'chatgpt_used_for_work', 'ai_use_at_work'] END, metric_id)
),

parted AS (
    SELECT *, segment IS NOT NULL OR coalesce(population, '') <> coalesce(
        first(population ORDER BY told DESC, since, population) OVER (PARTITION BY publisher, metric_id), ''
    ) AS is_part
    FROM asked
)

SELECT * FROM parted
WHERE ($parts OR NOT is_part) AND {IN_YEARS}
ORDER BY line, period, published, claim_id
"""  # noqa: S608  # constants only


def _about_whom(row: Any) -> str:
    """The population and part that a figure speaks of, in a few words."""
    return ", ".join(str(words) for words in (row.population, row.segment, row.series) if pd.notna(words))


def _over_time_words(row: Any) -> str:
    whom = _about_whom(row)
    return about(
        f"{row.metric_label}: {theme.exact(row.value)}%<br>{row.place}, {spoken(row.period)}"
        + (f"<br>{wrapped(capitalised(whom), 60)}" if whom else ""),
        row.note,
    )


def _line_name(row: Any) -> str:
    """The name of a line: its place, and whom it speaks of where that is a part."""
    part = row.segment if pd.notna(row.segment) else row.population
    return f"{row.place}: {part}" if row.is_part and pd.notna(part) else str(row.place)


def editions(line: pd.DataFrame) -> pd.DataFrame:
    """The newest edition of each period of a line; a year stands aside where its parts are known."""
    return line.iloc[_newest(line["period"], line["published"])]


def _newest(periods: Iterable[str], published: Iterable[Any]) -> list[int]:
    """Which rows of a line are of the newest editions, in the order of their periods."""
    told = [
        (period, "" if pd.isna(day) else day, row)
        for row, (period, day) in enumerate(zip(periods, published, strict=True))
    ]
    parted = {period[:4] for period, *_ in told if period != period[:4]}
    return list({period: row for period, _, row in sorted(told) if period not in parted}.values())


def _named_surveys(frame: pd.DataFrame, places: Sequence[str]) -> list[str]:
    """The surveys whose lines stand out: of the reader's places, or the longest ones of whole populations."""
    told = frame.groupby("survey").agg(
        periods=("period", "nunique"),
        is_part=("is_part", "any"),
        entity_id=("entity_id", "first"),
        rank=("place_rank", "first"),
    )
    chosen = told[told["entity_id"].isin(places)]
    pool = chosen if not chosen.empty else told[told["periods"] > 1]
    ordered = pool.reset_index().sort_values(
        ["is_part", "periods", "rank", "survey"], ascending=[True, False, True, True]
    )
    return list(ordered["survey"].head(MOST_NAMED))


def breaks(frame: pd.DataFrame) -> list[tuple[Any, Any]]:
    """Where a survey changed its question: the last figure before and the first figure after."""
    found = []
    for _, survey in frame.groupby("survey"):
        if survey["line"].nunique() < 2:
            continue
        runs = [editions(run) for _, run in survey.groupby("line")]
        runs.sort(key=lambda run: (run["at"].iloc[0], run["at"].iloc[-1], run["line"].iloc[0]))
        told = [list(records(run)) for run in runs]
        found += [
            (before[-1], after[0]) for before, after in pairwise(told) if _is_break(before[-1], after[0])
        ]
    return found


def _is_break(last: Any, first: Any) -> bool:
    """Whether a new question follows on an old one; two waves with one question are no break."""
    return first.at >= last.at and all("question" in str(row.series) for row in (last, first))


def _over_time(frame: pd.DataFrame, filters: OverTimeFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    frame = frame.assign(at=frame["period"].map(moment))
    named = _named_surveys(frame, filters.places)
    hues = place_hues(frame, sorted(set(frame.loc[frame["survey"].isin(named), "entity_id"])))
    ends: list[EndLabel] = []
    named_rows = list(records(frame[frame["survey"].isin(named)]))
    for survey, lines in sorted(frame.groupby("survey"), key=lambda pair: pair[0] in named):
        color = hues[lines["entity_id"].iloc[0]] if survey in named else theme.FAINT
        told = list(records(lines))
        for name in sorted({row.line for row in told}):
            _draw_line(sketch, [row for row in told if row.line == name], color)
        if survey in named:
            last = max(told, key=lambda row: (row.at, row.line))
            ends.append(EndLabel(_end_name(named_rows, last), float(last.value), color))
    for before, after in breaks(frame[frame["survey"].isin(named)]):
        _draw_break(sketch, before, after)
    sketch.onto(figure)
    label_line_ends(figure, ends, (0.0, min(float(frame["value"].max()) * 1.08, 104.0)), OVER_TIME_HEIGHT)
    years_at_their_middle(figure, frame["at"])
    figure.update_yaxes(ticksuffix="%")
    labels = list(dict.fromkeys(frame["metric_label"]))
    title_above(figure, "Percent of those asked" if len(labels) > 1 else f"{labels[0]}, percent")
    return figure


def _end_name(rows: Sequence[Any], last: Any) -> str:
    """What stands at the end of a line; with the publisher where another named line would read the same."""
    name = _line_name(last)
    alike = [row for row in rows if row.survey != last.survey and _line_name(row) == name]
    if any(row.publisher != last.publisher for row in alike):
        name += f", {last.publisher}"
    if any(row.publisher == last.publisher for row in alike):
        name += f", {last.metric_label[:1].lower()}{last.metric_label[1:]}"
    return f"{name} {short(last.value)}%"


def _draw_line(sketch: Sketch, line: Sequence[Any], color: str) -> None:
    """One line of one survey, earlier editions of a period as small marks beside it."""
    newest = [line[row] for row in _newest((row.period for row in line), (row.published for row in line))]
    older = [row for row in line if row not in newest]
    is_named = color != theme.FAINT
    for rows, mode, size in ((newest, "lines+markers", 8), (older, "markers", 5)):
        if not rows:
            continue
        sketch.add_scatter(
            x=[row.at for row in rows],
            y=[row.value for row in rows],
            mode=mode,
            name=_line_name(rows[0]),
            customdata=hover_rows(rows, _over_time_words),
            hovertemplate=HOVER,
            line={"color": color, "width": 2 if is_named else 1},
            marker={"color": color, "size": size if is_named else 5},
        )


def _draw_break(sketch: Sketch, before: Any, after: Any) -> None:
    """The gap between two questions of one survey: a dotted step that no reader takes for a trend."""
    sketch.add_scatter(
        x=[before.at, (before.at + after.at) / 2, (before.at + after.at) / 2, after.at],
        y=[before.value, before.value, after.value, after.value],
        mode="lines",
        name="break in the series",
        hoverinfo="skip",
        line={"color": theme.GREY, "width": 1, "dash": "dot"},
    )
    sketch.add_annotation(
        x=(before.at + after.at) / 2,
        y=(before.value + after.value) / 2,
        text="<b>//</b> break",
        showarrow=False,
        xanchor="left",
        font={"color": theme.GREY},
        hovertext=f"Break in the series: {wrapped(break_reason(before, after), 60)}",
    )


def break_reason(before: Any, after: Any) -> str:
    """Why two figures of one survey must not be joined."""
    return f"{before.series}, then {after.series}"


def _over_time_takeaway(frame: pd.DataFrame, filters: OverTimeFilters) -> str:
    frame = frame.assign(at=frame["period"].map(moment))
    named = _named_surveys(frame, filters.places) or [frame["survey"].iloc[0]]
    lead = frame[frame["survey"] == named[0]]
    run = max(
        (editions(line) for _, line in lead.groupby("line")), key=lambda line: (len(line), line["at"].max())
    )
    start, end = next(records(run)), list(records(run))[-1]
    text = f"{end.metric_label}, {_line_name(end)}: {theme.exact(end.value)}% in {spoken(end.period)}"
    if start.claim_id != end.claim_id:
        text += f", after {theme.exact(start.value)}% in {spoken(start.period)}"
    text += f" ({end.publisher})"
    broken = breaks(frame[frame["survey"].isin(named)])
    if broken:
        before, after = broken[0]
        text += (
            f"; in {the(before.place)} the question changed, so {theme.exact(before.value)}% and "
            f"{theme.exact(after.value)}% must not be joined"
        )
    return f"{text}.{missing_note(frame, filters.places)}"


over_time = register(
    Chart(
        id="adoption-over-time",
        topic="adoption",
        title="Who uses AI, and since when",
        question="Which part of firms, organisations and people uses AI where, and how fast does it grow?",
        reading="A line joins figures of one survey, one place, one population and one question; other waves "
        "stand alone. Where a survey changed its question the line breaks: a dotted step with // "
        "marks the place, and the two sides cannot be compared. Small marks are earlier editions of a "
        "figure. Without a choice of places the longest series are named.",
        filters=OverTimeFilters,
        sql=_OVER_TIME_SQL,
        figure=_over_time,
        takeaway=_over_time_takeaway,
        columns=column_titles(population="Who was asked", segment="Part", series="Series or question"),
        height=OVER_TIME_HEIGHT,
    )
)

# --- developer-ai-use ---------------------------------------------------------------------------------------

DEVELOPERS_HEIGHT = 560
_USE, _TRUST, _VIEW = "Use", "Trust", "Views and gains"


class DeveloperFilters(Filters):
    """Filters of the developer surveys."""

    survey: Annotated[
        Literal["both", "Stack Overflow", "Google DORA"],
        Control("Survey", labels={"both": "Both", "Google DORA": "DORA"}, is_primary=True),
    ] = "both"
    views: Annotated[
        bool,
        Control(
            "Views and gains", help="Also favourable views and gains that developers report.", is_primary=True
        ),
    ] = False


_DEVELOPERS_SQL = """
SELECT *, CASE metric_id
    WHEN 'developers_using_ai' THEN 'Use'
    WHEN 'developers_ai_trust' THEN 'Trust'
    ELSE 'Views and gains' END AS aspect
FROM adoption_by_place
WHERE ($survey = 'both' OR publisher = $survey) AND (
    metric_id IN ('developers_using_ai', 'developers_ai_trust')
    OR ($views AND metric_id IN ('developers_favourable_to_ai', 'developers_reporting_ai_gain'))
)
ORDER BY metric_id, line, year, published, claim_id
"""
_ASPECTS = {
    _USE: (theme.BLUE, "circle"),
    _TRUST: (theme.VERMILION, "diamond"),
    _VIEW: (theme.GREEN, "square"),
}


def _answer(row: Any) -> str:
    """What the developers said, in a word or two."""
    words = {"developers_favourable_to_ai": "favourable view"}.get(row.metric_id)
    if words:
        return words
    if row.metric_id == "developers_ai_trust" and "trust" not in row.segment:
        return f"trust {row.segment}"
    return str(row.segment)


def _developer_words(row: Any) -> str:
    return about(
        f"{capitalised(_answer(row))}: {theme.exact(row.value)}%, {spoken(row.period)}<br>{row.population}",
        row.note,
    )


def _developers(frame: pd.DataFrame, filters: DeveloperFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    ends = []
    last_year = int(frame["year"].max())
    for _, line in frame.groupby("line", sort=False):
        rows = list(records(line))
        color, symbol = _ASPECTS[rows[0].aspect]
        hollow = "-open" if rows[0].publisher != "Stack Overflow" else ""
        readings: dict[int, list[float]] = {}
        for row in rows:
            readings.setdefault(row.year, []).append(row.value)
        for year, values in readings.items():
            if len(values) > 1:
                spread_bar(sketch, [year, year], [min(values), max(values)], width=9)
        sketch.add_scatter(
            x=list(readings), y=[values[-1] for values in readings.values()], mode="lines",
            name=_answer(rows[0]), hoverinfo="skip", line={"color": color, "width": 2},
        )  # fmt: skip
        sketch.add_scatter(
            x=[row.year for row in rows],
            y=[row.value for row in rows],
            mode="markers",
            name=_answer(rows[0]),
            customdata=hover_rows(rows, _developer_words),
            hovertemplate=HOVER,
            marker={
                "color": color,
                "size": 9,
                "symbol": symbol + hollow,
                "line": {"width": 2, "color": color},
            },
        )
        end = rows[-1]
        said = "–".join(short(value) for value in sorted({float(each) for each in readings[end.year]}))
        when = "" if end.year == last_year else f" ({end.year})"
        who = "SO" if end.publisher == "Stack Overflow" else "DORA"
        ends.append(EndLabel(f"{_answer(end)} {said}%{when}, {who}", float(end.value), color))
    sketch.onto(figure)
    label_line_ends(figure, ends, (0.0, 100.0), DEVELOPERS_HEIGHT)
    years = sorted({int(year) for year in frame["year"]})
    figure.update_xaxes(tickvals=years, tickangle=0, range=[years[0] - 0.3, years[-1] + 0.15])
    figure.update_yaxes(ticksuffix="%")
    title_above(figure, "Percent of the developers asked")
    return figure


def _developers_takeaway(frame: pd.DataFrame, filters: DeveloperFilters) -> str:
    use = frame[frame["metric_id"] == "developers_using_ai"].sort_values(["year", "value"])
    trust = frame[(frame["metric_id"] == "developers_ai_trust") & (frame["segment"] != "distrusting")]
    if use.empty or trust.empty:
        surveys = counted(frame["publisher"].nunique(), "survey")
        return f"{counted(len(frame), 'figure')} of {surveys} of developers."
    top = list(records(use))[-1]
    own = trust[(trust["publisher"] == top.publisher) & (trust["year"] == top.year)]
    text = f"{top.publisher}, {top.year}: {theme.exact(top.value)}% say “{_answer(top)}”"
    if not own.empty:
        most = max(records(own), key=lambda row: float(row.value))
        text += f", {theme.exact(most.value)}% “{_answer(most)}”"
    other = [row for row in records(use[::-1]) if row.publisher != top.publisher]
    if other:
        rivals = trust[(trust["publisher"] == other[0].publisher) & (trust["segment"] == "trusting")]
        text += (
            f". {other[0].publisher}: {theme.exact(other[0].value)}% {_answer(other[0])} in {other[0].year}"
        )
        newest = rivals[rivals["year"] == rivals["year"].max()] if not rivals.empty else rivals
        if not newest.empty:
            span = sorted({float(v) for v in newest["value"]})
            text += f", {' or '.join(theme.exact(v) for v in span)}% trusting"
            text += ", depending on who reads the survey" if len(span) > 1 else ""
    return text + "."


developers = register(
    Chart(
        id="developer-ai-use",
        topic="adoption",
        title="Developers use it more than they trust it",
        question="How many developers use AI tools, and how many trust what they produce?",
        reading="Circles are use, diamonds trust, squares views and reported gains; filled marks are Stack "
        "Overflow (SO), hollow ones Google’s DORA survey. The surveys ask other people other "
        "questions: read each for itself. A grey bar joins two readings of the same survey that "
        "differ.",
        filters=DeveloperFilters,
        sql=_DEVELOPERS_SQL,
        figure=_developers,
        takeaway=_developers_takeaway,
        columns=column_titles(segment="Answer", population="Who was asked"),
        height=DEVELOPERS_HEIGHT,
    )
)

# --- adoption-purposes --------------------------------------------------------------------------------------

PURPOSES_HEIGHT = 560
_ASKED = """metric_id IN (
    'ai_use_by_task', 'firms_using_ai_by_purpose', 'genai_organisation_practice', 'organisations_ai_maturity',
    'organisations_using_ai_agents', 'workforce_change_expected', 'ai_cost_savings', 'ai_revenue_gains'
)"""


class PurposeFilters(Filters):
    """Filters of the purposes: which question."""

    purpose: Annotated[
        str,
        Control(
            "Question",
            f"SELECT DISTINCT metric_id, metric_label FROM adoption_by_place WHERE {_ASKED} "  # noqa: S608  # fixed
            "ORDER BY metric_label",
            is_primary=True,
        ),
    ] = "ai_use_by_task"


_PURPOSES_SQL = f"""
SELECT *, year = max(year) OVER () AS is_newest
FROM adoption_by_place
WHERE {_ASKED} AND metric_id = $purpose
ORDER BY year DESC, value DESC, claim_id
"""  # noqa: S608  # constants only


def _purpose(row: Any) -> str:
    return capitalised(str(row.segment)) if pd.notna(row.segment) else str(row.place)


def _purposes(frame: pd.DataFrame, filters: PurposeFilters) -> go.Figure:
    several = frame["period"].nunique() > 1
    return ranked_bars(
        frame,
        Ranking(
            value="value",
            label=lambda row: (
                f"{_purpose(row)} {theme.exact(row.value)}%{f' ({spoken(row.period)})' if several else ''}"
            ),
            words=_over_time_words,
            title=wrapped(f"{frame['metric_label'].iloc[0]}, percent", 52),
            color=lambda row: theme.BLUE if row.is_newest else theme.SKY,
            suffix="%",
        ),
    )


def _purposes_takeaway(frame: pd.DataFrame, filters: PurposeFilters) -> str:
    rows = list(records(frame))
    top, last = rows[0], rows[-1]
    whom = "" if pd.isna(top.population) else f" of {top.population}"
    said = f"{theme.exact(top.value)}%{whom} say “{_purpose(top).lower()}”"
    text = f"{top.publisher}, {spoken(top.period)}: {said}"
    if len(rows) > 1:
        text += f", {theme.exact(last.value)}% “{_purpose(last).lower()}”"
    return text + "."


purposes = register(
    Chart(
        id="adoption-purposes",
        topic="adoption",
        title="What it is used for, and what it changes",
        question="For which tasks and purposes is AI used, and which effects are reported?",
        reading="A bar is one answer of one survey; answers overlap and do not add up. Light bars are older.",
        filters=PurposeFilters,
        sql=_PURPOSES_SQL,
        figure=_purposes,
        takeaway=_purposes_takeaway,
        columns=column_titles(segment="Answer", population="Who was asked"),
        height=PURPOSES_HEIGHT,
    )
)
