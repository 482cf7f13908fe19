"""Whether forecasts keep their own promise: stated against implied growth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, register
from dashboard.charts.forecasts import NARROWED, TARGETED, ForecastFilters, select
from dashboard.charts.market_paths import path_words
from dashboard.charts.marks import (
    AXES_HEIGHT,
    HOVER,
    LINE_HEIGHT,
    UNNAMED,
    counted,
    hover_data,
    records,
    said_by,
    title_above,
    wrapped,
)

HEIGHT = 560
# Names are placed as if the plot were as narrow as on a telephone; on a wider one they have more room still.
NARROWEST = 260  # pixels
LETTER_WIDTH = 6.5
MARK = 9
VERDICTS = {
    "consistent": (theme.GREY, "circle"),
    "consistent with another start year": (theme.BLUE, "diamond"),
    "inconsistent": (theme.VERMILION, "x"),
}


def _arithmetic(frame: pd.DataFrame, filters: ForecastFilters) -> go.Figure:
    figure = go.Figure()
    rates = frame[["cagr_pct", "implied_cagr_pct"]]
    low, high = float(rates.min().min()), float(rates.max().max())
    is_log = low > 0
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        name="Stated = implied",
        line={"color": theme.GREY, "width": 1},
        hoverinfo="skip",
    )
    for verdict, (color, symbol) in VERDICTS.items():
        group = frame[frame["verdict"] == verdict]
        figure.add_scatter(
            x=group["cagr_pct"],
            y=group["implied_cagr_pct"],
            mode="markers",
            name=verdict.capitalize(),
            customdata=hover_data(group, _words),
            hovertemplate=HOVER,
            marker={"color": color, "symbol": symbol, "size": 9, "opacity": 0.85},
        )
    span = _span(low, high, is_log=is_log)
    for named in _names(frame, span, is_log=is_log):
        figure.add_annotation(**named)
    axis: dict[str, Any] = {"range": span, "ticksuffix": "%"}
    if is_log:
        ticks = [2, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500]
        axis = {"range": span, "type": "log", "tickvals": ticks, "ticktext": [f"{tick}%" for tick in ticks]}
    scale = " (log scale)" if is_log else ""
    figure.update_xaxes(title=f"Stated growth, % a year{scale}", tickangle=0, **axis)
    figure.update_yaxes(**axis)
    title_above(figure, f"Growth that base and target imply, % a year{scale}")
    figure.update_layout(showlegend=True, legend={"x": 0.02, "y": 1.0, "yanchor": "top", "orientation": "v"})
    return figure


def _span(low: float, high: float, *, is_log: bool) -> list[float]:
    """Range of both axes in their units, with some air around the outermost claims."""
    if is_log:
        return [math.log10(low) - 0.06, math.log10(high) + 0.06]
    air = max(high - low, 1.0) * 0.05
    return [low - air, high + air]


class Box(NamedTuple):
    """What a mark or a name covers, in pixels around its middle."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        across = abs(self.x - other.x) < (self.width + other.width) / 2
        return across and abs(self.y - other.y) < (self.height + other.height) / 2


def _names(frame: pd.DataFrame, span: list[float], *, is_log: bool) -> Iterator[dict[str, Any]]:
    """Names for the inconsistent claims, the widest gap first, beside their marks and away from the line.

    A name that would cover a mark or another name is left to the hover and the table.
    """
    low, high = span
    wide, tall = NARROWEST / (high - low), (HEIGHT - AXES_HEIGHT) / (high - low)

    def place(rate: float) -> float:
        return math.log10(rate) if is_log else rate

    taken = [
        Box(place(row.cagr_pct) * wide, place(row.implied_cagr_pct) * tall, MARK, MARK)
        for row in records(frame)
    ]
    broken = frame[(frame["verdict"] == "inconsistent") & (frame["publisher"] != UNNAMED)]
    broken = broken.assign(gap=broken["cagr_pct"] - broken["implied_cagr_pct"])
    for row in records(broken.sort_values("gap", key=abs, ascending=False, kind="stable")):
        x, y = place(row.cagr_pct), place(row.implied_cagr_pct)
        side, anchor = (1, "left") if row.gap > 0 else (-1, "right")
        lines = wrapped(_with_year(row), 13).split("<br>")
        width, height = LETTER_WIDTH * max(map(len, lines)), LINE_HEIGHT * len(lines)
        middle = x * wide + side * (MARK + width / 2)
        is_inside = low * wide <= middle - width / 2 and middle + width / 2 <= high * wide
        for shift in (0, height / 3, -height / 3):
            name = Box(middle, y * tall + shift, width, height)
            if is_inside and not any(name.meets(other) for other in taken):
                taken.append(name)
                yield {
                    "x": x,
                    "y": y,
                    "text": "<br>".join(lines),
                    "showarrow": False,
                    "xanchor": anchor,
                    "xshift": side * MARK,
                    "yshift": shift,
                    "align": anchor,
                }
                break


def _with_year(row: Any) -> str:
    return row.publisher if pd.isna(row.published_year) else f"{row.publisher} {row.published_year:.0f}"


def _words(row: Any) -> str:
    return (
        f"{path_words(row)}<br>stated {theme.exact(row.cagr_pct)}% a year, "
        f"implied {theme.percent(row.implied_cagr_pct)}"
        f"<br>at the stated rate: {theme.usd_bn(round(row.implied_target_usd_bn, 1))}, {row.verdict}"
    )


def _arithmetic_takeaway(frame: pd.DataFrame, filters: ForecastFilters) -> str:
    broken = frame[frame["verdict"] == "inconsistent"]
    shifted = int((frame["verdict"] == "consistent with another start year").sum())
    far = int((frame["relative_error_pct"].abs() > 10).sum())
    claims = counted(len(frame), "checkable claim")
    if broken.empty and not shifted:
        return f"{claims}: what is stated adds up within the rounding of the digits."
    text = f"Of {claims}, {len(broken)} do not add up within the rounding of their digits"
    text += f", {shifted} only with another start year" if shifted else ""
    text += f"; {far} miss their own target by more than 10%." if far else "."
    if broken.empty:
        return text
    worst: Any = broken.iloc[broken["relative_error_pct"].abs().argmax()]
    return (
        f"{text} The widest gap: {said_by(worst.publisher)} states {theme.exact(worst.cagr_pct)}% a year, "
        f"its own figures imply {theme.percent(worst.implied_cagr_pct)}."
    )


arithmetic = register(
    Chart(
        id="market-arithmetic",
        topic="market",
        title="Do the forecasts keep their own promise?",
        question="Does the stated growth rate lead from the stated base to the stated target?",
        reading="A claim on the line states exactly the growth that its base and target imply. Grey claims "
        "agree within the rounding of their printed digits, blue ones if growth is counted over one year "
        "less or more, crosses do neither. The crosses farthest from the line are named; the table names "
        "all.",
        filters=ForecastFilters,
        sql=select(
            "forecast_arithmetic JOIN (SELECT claim_id, url FROM forecast_path) USING (claim_id)",
            NARROWED,
            TARGETED,
            "verdict <> 'not checkable'",
            order="abs(relative_error_pct) DESC, claim_id",
        ),
        figure=_arithmetic,
        takeaway=_arithmetic_takeaway,
        columns={
            "publisher": "Publisher",
            "edition": "Report",
            "published": "Published",
            "verdict": "Verdict",
            "cagr_pct": "Stated growth (% a year)",
            "implied_cagr_pct": "Implied growth (% a year)",
            "base_year": "Base year",
            "base_value_usd_bn": "Base (US$ bn)",
            "forecast_year": "Target year",
            "forecast_value_usd_bn": "Target (US$ bn)",
            "implied_target_usd_bn": "Target at the stated rate (US$ bn)",
            "relative_error_pct": "Implied over stated target (%)",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=HEIGHT,
    )
)
