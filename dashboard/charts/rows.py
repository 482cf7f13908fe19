"""Charts whose rows stand under headings or in a ranking: bars by label, and a stack of rows laid out in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.charts.marks import HOVER, hover_data, hover_text, records, title_above, wrapped

TEXT_LINE = 16  # pixels of a line of text in a stack
MUTED = 0.75  # opacity of text that explains
NOTE_WIDTH = 60  # characters of a line of a note in the hover


def about(words: str, note: object) -> str:
    """What the hover says of a figure, with the remark that its row carries."""
    return words if pd.isna(note) else f"{words}<br><i>{wrapped(str(note), NOTE_WIDTH)}</i>"


def people(value: float) -> str:
    """A count, no digit lost: 944,000, 1.2 M."""
    millions = value / 1e6
    if millions >= 1 and round(millions, 2) == millions:
        return f"{theme.exact(millions)} M"
    return theme.exact(value)


def short(value: float) -> str:
    """A figure with at most three digits that count, for labels; the hover has them all."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def place_hues(frame: pd.DataFrame, named: Sequence[str]) -> dict[str, str]:
    """A colour for every named place: the one that it has everywhere, or the next free one if that is taken."""
    ranks = frame.drop_duplicates("entity_id").set_index("entity_id")["place_rank"]
    hues: dict[str, str] = {}
    for entity in sorted(named, key=lambda e: (pd.isna(ranks[e]), ranks[e], e)):
        rank = 1 if pd.isna(ranks[entity]) else int(ranks[entity])
        free = (theme.hue(rank + step) for step in range(len(theme.PALETTE)))
        hues[entity] = next((hue for hue in free if hue not in hues.values()), theme.hue(rank))
    return hues


# --- a ranking ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranking:
    """What a ranking shows: one bar a row of the frame, from zero.

    Attributes:
        value: column of the values.
        label: what stands beside a bar; equal labels stand beside equal bars only, so it must tell rows apart.
        text: what stands at the end of a bar.
        words: what the hover says of a row.
        title: title of the value axis, with its unit.
        color: colour of a row's bar.
        hollow: whether a bar is hollow (forecasts, estimates).
        suffix: after the ticks.
        most: how many bars at most; the table twin has all.
    """

    value: str
    label: Callable[[Any], str]
    text: Callable[[Any], str]
    words: Callable[[Any], str]
    title: str
    color: Callable[[Any], str] = lambda row: theme.BLUE
    hollow: Callable[[Any], bool] = lambda row: False
    suffix: str = ""
    most: int = 14
    label_width: int = 20


def ranked_bars(frame: pd.DataFrame, ranking: Ranking) -> go.Figure:
    """Bars in the order of the frame, the first on top, each with its value at its end."""
    figure = go.Figure()
    shown = frame.head(ranking.most)
    rows = list(records(shown))
    colors = [ranking.color(row) for row in rows]
    fills = [theme.BAND if ranking.hollow(row) else color for row, color in zip(rows, colors, strict=True)]
    figure.add_bar(
        x=shown[ranking.value],
        y=list(range(len(rows))),
        orientation="h",
        name="figures",
        text=[ranking.text(row) for row in rows],
        textposition="outside",
        cliponaxis=False,
        customdata=hover_data(shown, ranking.words),
        hovertemplate=HOVER,
        marker={"color": fills, "line": {"color": colors, "width": 1.5}},
    )
    labels = [wrapped(ranking.label(row), ranking.label_width) for row in rows]
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=labels,
        range=[max(len(rows), 4) - 0.4, -0.6],
        showgrid=False,
    )
    low, high = min(float(shown[ranking.value].min()), 0.0), max(float(shown[ranking.value].max()), 0.0)
    room = 0.28 * ((high - low) or 1.0)
    figure.update_xaxes(
        range=[low - (room if low else 0.0), high + (room if high else 0.0)],
        zeroline=True,
        ticksuffix=ranking.suffix,
        tickangle=0,
        nticks=6,
        showgrid=True,
    )
    title_above(figure, ranking.title)
    return figure


# --- a stack of rows under headings --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A heading, what explains it, and the rows under it: one text line a row, or more."""

    heading: str
    note: Sequence[str]
    rows: Sequence[Any]
    row_heights: Sequence[int]

    @property
    def height(self) -> int:
        """Pixels from the heading to the end of its last row."""
        return TEXT_LINE * (1 + len(self.note)) + 6 + sum(self.row_heights) + 12


def stack(figure: go.Figure, blocks: Sequence[Block], pixels: int) -> dict[tuple[int, int], float]:
    """Lay out blocks from top to bottom, write headings and notes; returns the height of each row's middle.

    Args:
        figure: its y axis counts pixels from the top of the plot.
        blocks: the blocks.
        pixels: height of the plot; blocks that need less are spread, at most by half.
    """
    needed = sum(block.height for block in blocks)
    stretch = min(max(pixels / needed, 0.2), 1.5)
    top, middles = 0.0, {}
    for index, block in enumerate(blocks):
        _write(figure, top, f"<b>{block.heading}</b>")
        if block.note:
            _write(figure, top + TEXT_LINE, "<br>".join(block.note), opacity=MUTED)
        below = top + (TEXT_LINE * (1 + len(block.note)) + 6) * max(stretch, 1)
        for place, height in enumerate(block.row_heights):
            middles[index, place] = below + height * stretch / 2
            below += height * stretch
        top += block.height * stretch
    figure.update_yaxes(range=[max(pixels, top), 0], visible=False)
    return middles


def _write(figure: go.Figure, y: float, text: str, opacity: float = 1.0) -> None:
    """Text at the left edge whose first line begins at a height."""
    figure.add_annotation(
        x=0, xref="paper", y=y, text=text, showarrow=False, xanchor="left", yanchor="top", align="left",
        opacity=opacity,
    )  # fmt: skip


def hover_rows(rows: Sequence[Any], words: Callable[[Any], str]) -> list[list[str]]:
    """The customdata of marks of some rows."""
    return [[row.claim_id, hover_text(row, words(row))] for row in rows]


def column_titles(**extra: str) -> Mapping[str, str]:
    """Headings of the table twin that figures on people share; what is special goes between place and value."""
    return {
        "publisher": "Publisher",
        "metric_label": "What is counted",
        "place": "Place",
        **extra,
        "period": "Period",
        "value": "Published value",
        "unit_label": "Unit",
        "status": "Status",
        "published": "Published",
        "attribution": "Read as",
        "url": "Address",
    }
