"""The same role and level in all sources side by side: records, surveys, and what published pages state."""

from __future__ import annotations

from textwrap import shorten
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    capitalised,
    counted,
    hover_rows,
    legend_below,
    records,
    title_above,
    wrapped,
)
from dashboard.charts.salaries import (
    LEAST,
    ROW,
    dollars,
    interval_bars,
    listed_sql,
    pays_sql,
)

Level = Literal["all", "entry", "mid", "senior", "executive"]
LEVELS = {"all": "All levels", "entry": "Entry", "mid": "Mid", "senior": "Senior", "executive": "Executive"}
KINDS = {
    "records": "computed from records",
    "base": "stated, base pay",
    "total": "stated, bonus and shares included",
    "not stated": "stated, base or total not told",
}
COLORS = {"records": theme.VERMILION, "base": theme.BLUE, "total": theme.GREEN, "not stated": theme.GREY}
ENDS = {"p25": "25th percentile", "p75": "75th percentile", "min": "lowest", "max": "highest"}
MOST = 24


class SourceFilters(Filters):
    """One role and level in one country."""

    paid_role: Annotated[
        str,
        Control(
            "Role",
            "SELECT role_id, name FROM salary_role WHERE role_id IN (SELECT role_id FROM salary_cell "
            "UNION SELECT role_id FROM salary_statement) ORDER BY position",
            is_primary=True,
        ),
    ] = "role-ai-engineer"
    paid_in: Annotated[
        str,
        Control(
            "Country",
            "SELECT DISTINCT entity_id, place FROM salary_statement WHERE place_kind = 'country' "
            "ORDER BY place",
            is_primary=True,
        ),
    ] = "USA"
    paid_level: Annotated[Level, Control("Experience", labels=LEVELS, is_primary=True)] = "all"


def _name(row: Any) -> str:
    """Who says so, of which year, and of which part of the role if not of all of it."""
    year = f" {row.year:.0f}" if pd.notna(row.year) else ""
    more = f", {row.detail}" if pd.notna(row.detail) and row.kind != "records" else ""
    return shorten(f"{row.publisher}{year}{more}", 64, placeholder=" …")


def _words(row: Any) -> str:
    ends = ", ".join(
        f"{ENDS[kind]} {dollars(value)}"
        for kind, value in ((row.low_kind, row.low), (row.high_kind, row.high))
        if pd.notna(value)
    )
    middle = f"{capitalised(row.middle_kind)} {dollars(row.middle)}" if pd.notna(row.middle) else ""
    if pd.notna(row.lower):
        middle += f", 95% interval {dollars(row.lower)}–{dollars(row.upper)}"
    size = f"n = {row.n:,.0f}" if pd.notna(row.n) else "number of reports not stated"
    text = f"{'; '.join(each for each in (middle, ends) if each)}<br>{capitalised(KINDS[row.kind])}, {size}"
    return f"{text}<br>{wrapped(row.detail, 56)}" if pd.notna(row.detail) else text


def _sources(frame: pd.DataFrame, filters: SourceFilters) -> go.Figure:
    """One row a statement: a line over its range, a dot at its median, hollow at its mean."""
    figure = go.Figure()
    shown = frame.head(MOST)
    first = set(shown.drop_duplicates("kind").index)
    for place, row in enumerate(records(shown)):
        color, known = COLORS[row.kind], [x for x in (row.low, row.middle, row.high) if pd.notna(x)]
        figure.add_scatter(
            x=[min(known), max(known)],
            y=[place, place],
            mode="lines",
            line={"color": color, "width": 7 if row.low_kind != "min" else 2},
            opacity=0.5,
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[row.middle if pd.notna(row.middle) else known[0]],
            y=[place],
            mode="markers",
            name=capitalised(KINDS[row.kind]),
            legendgroup=row.kind,
            showlegend=shown.index[place] in first,
            marker={
                "color": color,
                "size": 10,
                "symbol": {"median": "circle", "mean": "diamond-open"}.get(row.middle_kind, "line-ns-open"),
                "line": {"color": color, "width": 2},
            },
            error_x=interval_bars(shown.iloc[[place]], "middle") if pd.notna(row.lower) else None,
            customdata=hover_rows([row], _words),
            hovertemplate=HOVER,
        )
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[wrapped(_name(row), 34) for row in records(shown)],
        range=[max(len(shown), 4) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    top = max(float(shown[name].max()) for name in ("low", "middle", "high") if shown[name].notna().any())
    figure.update_xaxes(
        range=[0, top * 1.05], tickprefix="$", tickformat="~s", nticks=6, tickangle=0, showgrid=True
    )
    title_above(figure, "Yearly pay, US$")
    legend_below(figure)
    return figure


def _sources_takeaway(frame: pd.DataFrame, filters: SourceFilters) -> str:
    middles = frame[frame["middle"].notna()].sort_values("middle")
    who = f"{counted(len(frame), 'statement')} by {counted(frame['publisher'].nunique(), 'source')}"
    if middles.empty:
        return f"{who}: a range and no middle."
    first, last = middles.iloc[0], middles.iloc[-1]
    if len(middles) == 1:
        return f"{_name(first)}: {first['middle_kind']} {dollars(first['middle'])}; {who} in all."
    own = frame[frame["kind"] == "records"]
    text = (
        f"{who}: the middle runs from {dollars(first['middle'])} ({first['publisher']}) to "
        f"{dollars(last['middle'])} ({last['publisher']})"
    )
    if own.empty:
        return f"{text}; no records of this level are at hand."
    return f"{text}; the records say {dollars(own.iloc[0]['middle'])} ({own.iloc[0]['publisher']})."


sources = register(
    Chart(
        id="salary-sources",
        topic="salaries",
        title="What each source says",
        question="How do records, surveys and published pages differ for the same role and level?",
        reading="A row is one statement; records are distinct postings, or persons in a survey, of the "
        f"newest year with {LEAST} or more, the median with its 95% interval. Thick: "
        "25th to 75th percentile; thin: the page's own ends; dot: median; hollow diamond: mean. "
        "They differ because they ask other people, count bonus or not, and cut off other tails.",
        filters=SourceFilters,
        sql=f"""
WITH counted AS (
    SELECT
        cell.source, cell.year, cell.salary_k, sum(cell.postings) AS n
    FROM salary_cell AS cell
    WHERE cell.role_id = $paid_role AND cell.country = $paid_in
        AND (
            $paid_level = 'all'
            OR cell.experience = CASE $paid_level
                WHEN 'entry' THEN 'EN' WHEN 'mid' THEN 'MI' WHEN 'senior' THEN 'SE' ELSE 'EX' END
        )
    GROUP BY ALL
),

listed AS ({listed_sql("source, year")}
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY year DESC) = 1
),

computed AS (SELECT *, {pays_sql((0.25, 0.5, 0.75))} AS pay FROM listed)

SELECT
    computed.source || ':' || $paid_role AS claim_id, source.source_id, source.name AS publisher,
    source.published, 'relayed' AS attribution, source.url, computed.year, source.measures AS detail,
    'records' AS kind, computed.total::DOUBLE AS n, computed.pay[1] AS low, 'p25' AS low_kind,
    computed.pay[2] AS middle, 'median' AS middle_kind, computed.pay[3] AS high, 'p75' AS high_kind,
    computed.pay[4] AS lower, computed.pay[5] AS upper
FROM computed
JOIN salary_source AS source USING (source)
UNION ALL BY NAME
SELECT * EXCLUDE (role_id, entity_id, experience_level) FROM salary_range
WHERE role_id = $paid_role AND entity_id = $paid_in AND experience_level = $paid_level
ORDER BY kind <> 'records', middle DESC NULLS LAST, claim_id
""",  # noqa: S608  # constants of this module
        figure=_sources,
        takeaway=_sources_takeaway,
        columns={
            "publisher": "Publisher",
            "year": "Year",
            "detail": "What it is about",
            "kind": "Kind of pay",
            "low": "Lower end (US$)",
            "low_kind": "Lower end is",
            "middle": "Middle (US$)",
            "middle_kind": "Middle is",
            "lower": "Median, 95% from (US$)",
            "upper": "Median, 95% to (US$)",
            "high": "Upper end (US$)",
            "high_kind": "Upper end is",
            "n": "n",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=MOST * ROW + 110,
    )
)
