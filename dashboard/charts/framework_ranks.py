"""Frameworks against each other: ranks by every signal, growth in a year, the standing in each category."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.frameworks import (
    COLUMNS,
    FIRST_CHOICE,
    Frameworks,
    SignalFilters,
    amount,
    colours,
    not_measured,
    when,
    words,
)
from dashboard.charts.marks import (
    HOVER,
    capitalised,
    counted,
    hover_data,
    hover_text,
    listed,
    records,
    title_above,
    wrapped,
)

# --- ranks by every signal ----------------------------------------------------------------------------------


class AgreementFilters(Filters):
    """Which frameworks are ranked against each other."""

    frameworks: Frameworks = list(FIRST_CHOICE)


MOST_COLUMNS = 8
# Tints of one blue that let the text of both themes stand out; the first rank is the strongest.
TINTS = (0.62, 0.34, 0.2, 0.12)
ROW_WIDTH = 32  # characters of a name beside a row
NAME_WIDTH = 22


def _columns(frame: pd.DataFrame, asked: list[str]) -> list[str]:
    """Up to eight frameworks, those that come first most often on the left."""
    order = [name for name in asked if name in set(frame["entity_id"])] or list(
        frame.sort_values("framework_rank")["entity_id"].drop_duplicates()
    )
    kept = frame[frame["entity_id"].isin(order[:MOST_COLUMNS])]
    firsts = kept[kept["place_among"] == 1].groupby("entity_id").size()
    return sorted(order[:MOST_COLUMNS], key=lambda name: -firsts.get(name, 0))


def layout_rows(frame: pd.DataFrame) -> list[tuple[str | None, str]]:
    """The rows, top down: the name of a signal (without id), then who counts it (with the count's id)."""
    rows: list[tuple[str | None, str]] = []
    label = ""
    for row in records(frame.drop_duplicates("signal_id")):
        if row.metric_label != label:
            label = row.metric_label
            rows.append((None, f"<b>{label}</b>"))
        rows.append((row.signal_id, wrapped(f"{row.publisher}, {when(row.period)}", ROW_WIDTH)))
    return rows


def _signals(frame: pd.DataFrame, filters: AgreementFilters) -> go.Figure:
    entities = _columns(frame, filters.frameworks)
    shown = frame[frame["entity_id"].isin(entities)]
    names = dict(zip(shown["entity_id"], shown["framework"], strict=True))
    rows = layout_rows(shown)
    cells = {(row.signal_id, row.entity_id): row for row in records(shown)}
    figure = go.Figure()
    for index, entity in enumerate(entities):
        found = {
            height: cells.get((signal_id, entity)) for height, (signal_id, _) in enumerate(rows) if signal_id
        }
        _draw_column(figure, index, names[entity], found)
    figure.update_layout(barmode="overlay", margin_r=8)
    figure.update_xaxes(
        side="top",
        tickvals=list(range(len(entities))),
        ticktext=[wrapped(names[entity], 14) for entity in entities],
        autotickangles=[0, -90],
        range=[-0.5, len(entities) - 0.5],
        ticks="",
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[text for _, text in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def _draw_column(figure: go.Figure, index: int, name: str, found: dict[int, Any]) -> None:
    """One framework: a tinted cell with its place in every count, a dash where it was not counted."""
    figure.add_bar(
        y=list(found),
        x=[0.94] * len(found),
        base=index - 0.47,
        orientation="h",
        width=0.88,
        name=name,
        marker={"color": [_tint(row) for row in found.values()], "line": {"width": 0}},
        customdata=[_cell_words(row, name) for row in found.values()],
        hovertemplate=HOVER,
    )
    # Text of its own trace wears the colour of the theme; a bar would choose by its own idea of contrast.
    figure.add_scatter(
        x=[index] * len(found),
        y=list(found),
        mode="text",
        name=f"{name}, places",
        text=["–" if row is None else str(row.place_among) for row in found.values()],
        hoverinfo="skip",
    )


def _tint(row: Any) -> str:
    if row is None:
        return "rgba(139, 150, 163, 0.07)"
    return f"rgba(0, 114, 178, {TINTS[min(row.place_among, len(TINTS)) - 1]})"


def _cell_words(row: Any, name: str) -> list[str]:
    if row is None:
        return ["", f"{name}: no figure"]
    place = f"place {row.place_among} of the {row.among} compared"
    said = [f"{row.framework}: {amount(row.value, row.unit_id)}, {when(row.period)}", place]
    if isinstance(row.population, str):
        said.append(wrapped(f"among {row.population}", 60))
    return [row.claim_id, hover_text(row, "<br>".join(said))]


def _signals_takeaway(frame: pd.DataFrame, filters: AgreementFilters) -> str:
    firsts = frame[frame["place_among"] == 1].groupby("framework")["signal_id"].nunique()
    firsts = firsts.sort_values(ascending=False)
    signals = frame["signal_id"].nunique()
    if len(firsts) == 1:
        where = {1: "the one count that names", 2: "both counts that name"}.get(
            signals, f"all {signals} counts that name"
        )
        return f"{firsts.index[0]} comes first in {where} at least two of these."
    told = [f"{name} in {count}" for name, count in firsts.head(4).items()]
    told[0] = told[0].replace(" in ", " comes first in ")
    return (
        f"Who leads depends on the signal: in {counted(signals, 'count')} that name at least two of these, "
        f"{listed(told)}."
    )


signals = register(
    Chart(
        id="framework-signals",
        topic="frameworks",
        title="Who leads depends on whom one asks",
        question="Where do the signals agree on the order of these frameworks, and where not?",
        reading="A row is one count: who counts, and its newest period, under the name of the signal. A "
        "number is the place of the framework among those compared in that count, darkest for the first; "
        "a dash means that it was not counted, which is not the same as last. What each signal leaves out "
        "stands below.",
        filters=AgreementFilters,
        sql="""
WITH compared AS (
    SELECT DISTINCT entity_id FROM framework_count
    WHERE list_contains($frameworks::VARCHAR[], entity_id)
        OR len($frameworks::VARCHAR[]) = 0 AND framework_rank <= 6
),
met AS (
    SELECT *, count(*) OVER (PARTITION BY signal_id, period, population) AS among
    FROM framework_count
    WHERE entity_id IN (SELECT entity_id FROM compared)
        AND metric_id NOT IN ('survey_admired', 'survey_desired', 'github_open_issues')
),
newest AS (
    SELECT * FROM met WHERE among > 1
    QUALIFY period = max(period) OVER (PARTITION BY signal_id)
),
-- One row a source and signal: of several populations the newest, then the one that names most of them.
kept AS (
    SELECT * FROM newest
    QUALIFY 1 = dense_rank() OVER (
        PARTITION BY metric_id, publisher ORDER BY period DESC, among DESC, signal_id
    )
)
SELECT *, rank() OVER (PARTITION BY signal_id ORDER BY value DESC) AS place_among
FROM kept
ORDER BY metric_rank, period DESC, signal_id, place_among, framework
""",
        figure=_signals,
        takeaway=_signals_takeaway,
        columns={
            "metric_label": "Signal",
            "publisher": "Who counts",
            "period": "Period",
            "framework": "Framework",
            "place_among": "Place among these",
            "among": "Compared",
            "value": "Published value",
            "population": "Counted among",
            "excludes": "Does not measure",
            "published": "Published",
            "attribution": "Read as",
            "url": "Address",
        },
        height=880,
    )
)


def clickable(frame: pd.DataFrame, told: Callable[[Any], str]) -> list[list[str]]:
    """The customdata of one mark a row, with the framework that a click puts under Compare."""
    return [[*data, entity] for data, entity in zip(hover_data(frame, told), frame["entity_id"], strict=True)]


# --- momentum -----------------------------------------------------------------------------------------------

MOST_GAINS, MOST_LOSSES = 14, 4


def _movers(frame: pd.DataFrame, asked: list[str]) -> pd.DataFrame:
    """The greatest gains, the greatest losses, and whoever was asked for, largest gain first."""
    ordered = frame.sort_values(["change_pct", "framework"], ascending=[False, True])
    losses = ordered[ordered["change_pct"] < 0].tail(MOST_LOSSES)
    kept = {*ordered.head(MOST_GAINS)["claim_id"], *losses["claim_id"]}
    return ordered[ordered["claim_id"].isin(kept) | ordered["entity_id"].isin(asked[:MOST_COLUMNS])]


def growth(change_pct: float) -> str:
    """A change as one reads it fastest: +3%, −24%, ×2.4, to 0."""
    if change_pct <= -100:
        return "to 0"
    if change_pct >= 100:
        return f"×{theme.times(1 + change_pct / 100)}"
    digits = 0 if abs(change_pct) >= 10 else 1
    shown = round(change_pct, digits)
    return f"{'+' if shown > 0 else '−' if shown < 0 else '±'}{theme.percent(abs(shown), digits)}"


def _change_words(row: Any) -> str:
    moved = "" if pd.isna(row.rank_change) else ", same rank"
    if moved and row.rank_change:
        moved = f", ranks {abs(row.rank_change):.0f} {'up' if row.rank_change > 0 else 'down'}"
    return (
        f"{row.framework}: {amount(row.earlier_value, row.unit_id)} in {when(row.earlier_period)} → "
        f"{amount(row.value, row.unit_id)} in {when(row.period)}<br>computed change "
        f"{'+' if row.change_pct > 0 else ''}{theme.percent(row.change_pct)}" + moved
    )


def _momentum(frame: pd.DataFrame, filters: SignalFilters) -> go.Figure:
    shown = _movers(frame, filters.frameworks)
    hues = colours(shown, filters.frameworks) if filters.frameworks else {}
    ratios = 1 + shown["change_pct"] / 100
    positive = ratios[ratios > 0]
    floor = min(float(positive.min()), 1.0) * 0.7 if len(positive) else 0.5
    ends = ratios.where(ratios > 0, floor)
    names = [wrapped(name, NAME_WIDTH) for name in shown["framework"]]
    figure = go.Figure()
    for name, end in zip(names, ends, strict=True):
        figure.add_scatter(
            x=[1, end],
            y=[name, name],
            mode="lines",
            name="change",
            line={"color": theme.FAINT, "width": 3},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=ends,
        y=names,
        mode="markers+text",
        name="frameworks",
        text=[growth(change) for change in shown["change_pct"]],
        textposition=["middle right" if end >= 1 else "middle left" for end in ends],
        customdata=clickable(shown, _change_words),
        hovertemplate=HOVER,
        cliponaxis=False,
        marker={
            "color": [hues.get(entity, theme.GREY) for entity in shown["entity_id"]],
            "size": 11,
            "symbol": ["circle" if ratio > 0 else "triangle-left-open" for ratio in ratios],
        },
    )
    _ratio_axis(figure, float(ends.min()), float(ends.max()), shown)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=False)
    return figure


def _ratio_axis(figure: go.Figure, low: float, high: float, shown: pd.DataFrame) -> None:
    """A log axis around "no change", with room for the figures beside the marks."""
    wide = max(math.log10(max(high, 1)) - math.log10(min(low, 1)), 0.05)
    digits = (1,) if wide > 2 else (1, 3) if wide > 1 else (1, 2, 5) if wide > 0.5 else (0.8, 1, 1.2, 1.5, 2)
    ticks = sorted({digit * 10.0**power for power in range(-4, 6) for digit in digits} | {1.0})
    earlier, latest = when(shown["earlier_period"].iloc[0]), when(shown["period"].iloc[0])
    figure.update_xaxes(
        type="log",
        tickvals=ticks,
        ticktext=[f"×{tick:g}" for tick in ticks],
        tickangle=0,
        showgrid=True,
        range=[
            math.log10(min(low, 1)) - (0.32 if low < 1 else 0.05) * wide,
            math.log10(max(high, 1)) + 0.2 * wide,
        ],
    )
    title_above(figure, f"{latest} against {earlier}, times as many (log scale)")
    figure.add_vline(x=1, line={"width": 1, "color": theme.GREY})


def _momentum_takeaway(frame: pd.DataFrame, filters: SignalFilters) -> str:
    ordered = frame.sort_values("change_pct", ascending=False)
    top: Any = ordered.iloc[0]
    up = int((frame["change_pct"] > 0).sum())
    text = (
        f"{top.metric_label}, {when(top.period)} against {when(top.earlier_period)}: "
        f"{up} of {len(frame)} gained, {top.framework} most ({growth(top.change_pct)})"
    )
    asked = ordered[ordered["entity_id"].isin(filters.frameworks) & (ordered["entity_id"] != top.entity_id)]
    told = [f"{row.framework} {growth(row.change_pct)}" for row in records(asked.head(2))]
    told_of = f"; of those compared, {listed(told)}" if told else ""
    return f"{text}{told_of}." + not_measured(frame, is_short=True)


momentum = register(
    Chart(
        id="framework-momentum",
        topic="frameworks",
        title="Who gains and who loses",
        question="Which frameworks grew fastest in a year?",
        reading="A mark is the newest figure of a framework divided by its figure a year earlier in the same "
        "count; the upright line is no change. Shown are the greatest gains and losses and, coloured, the "
        "frameworks under Compare; the table has all. Stars hardly ever fall, young names multiply easily. "
        "A click on a mark puts it under Compare.",
        filters=SignalFilters,
        sql="""
SELECT now.*, past.earlier_period, past.earlier_value, past.change_pct,
    earlier.count_rank - now.count_rank AS rank_change
FROM framework_count AS now
JOIN framework_momentum AS past USING (claim_id)
LEFT JOIN framework_count AS earlier ON earlier.claim_id = past.earlier_claim_id
WHERE now.signal_id = $signal
    AND now.period = (SELECT max(period) FROM framework_count WHERE signal_id = $signal)
ORDER BY past.change_pct DESC, now.framework
""",
        figure=_momentum,
        takeaway=_momentum_takeaway,
        columns={
            "framework": "Framework",
            "category": "Category",
            "metric_label": "Signal",
            "earlier_period": "A year earlier",
            "earlier_value": "Value a year earlier",
            "period": "Period",
            "value": "Published value",
            "change_pct": "Change (%, computed)",
            "rank_change": "Ranks gained (computed)",
            "publisher": "Who counts",
            "published": "Published",
            "attribution": "Read as",
            "url": "Address",
        },
        height=735,
    )
)


# --- by category --------------------------------------------------------------------------------------------


class CategoryFilters(SignalFilters):
    """One signal within one category, or the leaders of all."""

    family: Annotated[
        str,
        Control(
            "Category",
            "SELECT '' AS value, 'All categories' AS label UNION ALL "
            "(SELECT DISTINCT category, upper(category[1]) || category[2:] FROM framework_count "
            "ORDER BY lower(category))",
            is_primary=True,
        ),
    ] = ""


MOST_BARS = 22
FEW_CATEGORIES = 3  # so few leave room to show every name


def _by_category(frame: pd.DataFrame, filters: CategoryFilters) -> go.Figure:
    is_narrow = frame["category"].nunique() <= FEW_CATEGORIES
    return _bars(frame, filters) if is_narrow else _leaders(frame, filters)


def _bars(frame: pd.DataFrame, filters: CategoryFilters) -> go.Figure:
    """The frameworks of one category as bars from zero, the figure beside each."""
    shown = frame.sort_values("value", ascending=False).head(MOST_BARS)
    hues = colours(shown, filters.frameworks) if filters.frameworks else {}
    names = [wrapped(name, NAME_WIDTH) for name in shown["framework"]]
    figure = go.Figure()
    figure.add_bar(
        x=shown["value"],
        y=names,
        orientation="h",
        width=0.62,
        name="frameworks",
        text=[amount(row.value, row.unit_id) for row in records(shown)],
        textposition="outside",
        cliponaxis=False,
        customdata=clickable(shown, words),
        hovertemplate=HOVER,
        marker={"color": [hues.get(entity, theme.GREY) for entity in shown["entity_id"]]},
    )
    top = max(float(shown["value"].max()), 1e-9)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=False)
    title_above(figure, _title(shown))
    figure.update_xaxes(range=[0, top * 1.22], showticklabels=False, ticks="")
    return figure


def _title(frame: pd.DataFrame) -> str:
    return f"{frame['metric_label'].iloc[0]}, {when(frame['period'].iloc[0])}"


def _leaders(frame: pd.DataFrame, filters: CategoryFilters) -> go.Figure:
    """A row a category, a mark a framework, the leader named under the category."""
    above = frame[frame["value"] > 0]
    is_log = len(above) == len(frame) and frame["unit_id"].iloc[0] != "percent"
    tops = frame.sort_values("value", ascending=False).drop_duplicates("category")
    heads = {
        row.category: f"{wrapped(capitalised(row.category), 28)}<br><b>{wrapped(row.framework, 28)}</b>"
        for row in records(tops)
    }
    hues = colours(frame, filters.frameworks) if filters.frameworks else {}
    figure = go.Figure()
    for is_asked in (False, True):
        part = frame[frame["entity_id"].isin(hues) == is_asked]
        figure.add_scatter(
            x=part["value"],
            y=part["category"].map(heads),
            mode="markers",
            name="compared" if is_asked else "others",
            customdata=clickable(part, words),
            hovertemplate=HOVER,
            marker={
                "color": [hues.get(entity, theme.GREY) for entity in part["entity_id"]],
                "size": 12 if is_asked else 9,
                "opacity": 1 if is_asked else 0.6,
            },
        )
    figure.update_yaxes(categoryorder="array", categoryarray=list(heads.values())[::-1], showgrid=True)
    _leader_axis(figure, frame, is_log=is_log)
    return figure


def _leader_axis(figure: go.Figure, frame: pd.DataFrame, *, is_log: bool) -> None:
    low, high = float(frame["value"].min()), float(frame["value"].max())
    unit = str(frame["unit_id"].iloc[0])
    title_above(figure, _title(frame) + (" (log scale)" if is_log else ""))
    if not is_log:
        figure.update_xaxes(
            rangemode="tozero",
            showgrid=True,
            tickangle=0,
            ticksuffix="%" if unit == "percent" else "",
        )
        return
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [10.0**power for power in powers]
    if len(ticks) < 4:
        ticks = [digit * tick for tick in ticks for digit in (1, 3)]
    figure.update_xaxes(
        type="log",
        tickvals=ticks,
        ticktext=[amount(tick, unit) for tick in ticks],
        tickangle=0,
        showgrid=True,
        range=[math.log10(low) - 0.15, math.log10(high) + 0.15],
    )


def _by_category_takeaway(frame: pd.DataFrame, filters: CategoryFilters) -> str:
    ordered = frame.sort_values("value", ascending=False)
    if filters.family:
        told = [f"{row.framework} {amount(row.value, row.unit_id)}" for row in records(ordered.head(3))]
        title = _title(frame)
        text = f"{capitalised(filters.family)}, {title[:1].lower()}{title[1:]}: {', '.join(told)}."
        return text + not_measured(frame, is_short=True)
    leaders = ordered.drop_duplicates("category")
    told = [f"{row.framework} ({row.category})" for row in records(leaders.head(4))]
    return f"{_title(frame)}: the largest leaders of their categories are {listed(told)}." + not_measured(
        frame, is_short=True
    )


by_category = register(
    Chart(
        id="framework-by-category",
        topic="frameworks",
        title="The standing in each category",
        question="Which tool leads in its kind, and by how much?",
        reading="A row is a category, a mark one framework in the newest count of the chosen signal; "
        "the leader is named under its category, the frameworks under Compare are coloured. With one "
        "category chosen, or three at most, each name has a bar. Tools of different kinds do different "
        "work. A click on a mark puts it under Compare.",
        filters=CategoryFilters,
        sql="""
SELECT * FROM framework_count
WHERE signal_id = $signal AND ($family = '' OR category = $family)
    AND period = (SELECT max(period) FROM framework_count WHERE signal_id = $signal)
ORDER BY value DESC, framework
""",
        figure=_by_category,
        takeaway=_by_category_takeaway,
        columns=COLUMNS,
        height=660,
    )
)
