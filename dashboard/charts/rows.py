"""Charts whose rows are a ranking (bars) or stand under headings (a stack laid out in pixels)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.charts.marks import (
    AXIS_TITLE_ROOM,
    HOVER,
    Sketch,
    hover_data,
    records,
    title_above,
    wrapped,
)

TEXT_LINE = 16  # pixels of a line of text in a stack
MUTED = 0.75  # opacity of text that explains
HEAD_GAP = 8  # pixels between a heading and its first row
BLOCK_GAP = 14  # pixels between two blocks
FEWEST_BARS = 5  # a ranking leaves room for so many, so that few bars are not fat
NOTE_WIDTH = 60  # characters of a line of a note in the hover


def about(words: str, note: Any) -> str:
    """What the hover says of a figure, with the remark that its row carries."""
    return words if pd.isna(note) else f"{words}<br><i>{wrapped(str(note), NOTE_WIDTH)}</i>"


def the(place: str) -> str:
    """A place as it stands in a sentence: the United States, France."""
    needs = place.startswith(("United ", "European ")) or place in {"Netherlands", "World", "OECD countries"}
    return f"the {'world' if place == 'World' else place}" if needs else place


def people(value: float) -> str:
    """A count, no digit lost: 944,000, 1.2 M."""
    millions = value / 1e6
    if millions >= 1 and round(millions, 2) == millions:
        return f"{theme.exact(millions)} M"
    return theme.exact(value)


def short(value: float) -> str:
    """A figure with two decimals, or three digits that count where it is small; the hover has them all."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return theme.exact(round(value, 2)) if abs(value) >= 1 else f"{value:.3g}"


def translucent(color: str) -> str:
    """The colour of what is hollow: a forecast, an estimate. A dark page still puts its own in its place."""
    return f"{color}4d"


def standing_out(ranked: Sequence[str], places: Sequence[str], most: int) -> list[str]:
    """The places whose lines stand out, at most so many: those of the reader, or the first of the ranking."""
    return ([entity for entity in ranked if entity in places] or list(ranked))[:most]


def place_hues(frame: pd.DataFrame, named: Sequence[str]) -> dict[str, str]:
    """A colour for every named place: the one that it has everywhere, or the next if that is taken."""
    ranks = frame.drop_duplicates("entity_id").set_index("entity_id")["place_rank"]
    hues: dict[str, str] = {}
    for entity in sorted(named, key=lambda e: (pd.isna(ranks[e]), ranks[e], e)):
        rank = 1 if pd.isna(ranks[entity]) else int(ranks[entity])
        free = (theme.hue(rank + step) for step in range(len(theme.PALETTE)))
        hues[entity] = next((hue for hue in free if hue not in hues.values()), theme.hue(rank))
    return hues


def with_place(frame: pd.DataFrame, words: Callable[[Any], str]) -> list[list[str]]:
    """The customdata of marks that can be clicked: the place comes third."""
    return [
        [*data, entity] for data, entity in zip(hover_data(frame, words), frame["entity_id"], strict=True)
    ]


# --- a ranking ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranking:
    """What a ranking shows: one bar a row of the frame, from zero.

    Attributes:
        value: column of the values.
        label: what stands above a bar, its value included.
        words: what the hover says of a row.
        title: title of the value axis, with its unit.
        color: colour of a row's bar.
        hollow: whether a bar is hollow (forecasts, estimates).
        suffix: after the ticks.
        most: how many bars at most; the table twin has all.
    """

    value: str
    label: Callable[[Any], str]
    words: Callable[[Any], str]
    title: str
    color: Callable[[Any], str]
    hollow: Callable[[Any], bool] = lambda _: False
    suffix: str = ""
    most: int = 12


def ranked_bars(frame: pd.DataFrame, ranking: Ranking) -> go.Figure:
    """Bars in the order of the frame, the first on top, each with its name and value above it."""
    figure = go.Figure()
    shown = frame.head(ranking.most)
    rows = list(records(shown))
    colors = [ranking.color(row) for row in rows]
    fills = [
        translucent(color) if ranking.hollow(row) else color for row, color in zip(rows, colors, strict=True)
    ]
    figure.add_bar(
        x=shown[ranking.value],
        y=[place + 0.22 for place in range(len(rows))],
        orientation="h",
        width=0.34,
        name="figures",
        customdata=with_place(shown, ranking.words),
        hovertemplate=HOVER,
        marker={"color": fills, "line": {"color": colors, "width": 1.5}},
    )
    sketch = Sketch()
    for place, row in enumerate(rows):
        sketch.add_annotation(
            x=0,
            xref="paper",
            y=place - 0.18,
            text=ranking.label(row),
            showarrow=False,
            xanchor="left",
            yanchor="middle",
            align="left",
            borderpad=0,
        )
    sketch.onto(figure)
    figure.update_yaxes(range=[max(len(rows), FEWEST_BARS) - 0.4, -0.6], visible=False)
    low, high = min(float(shown[ranking.value].min()), 0.0), max(float(shown[ranking.value].max()), 0.0)
    room = 0.04 * ((high - low) or 1.0)
    figure.update_xaxes(
        range=[low - (room if low else 0.0), high + (room if high else 0.0)],
        zeroline=True,
        ticksuffix=ranking.suffix,
        tickangle=0,
        nticks=6,
        showgrid=True,
    )
    title_above(figure, ranking.title)
    if extra := ranking.title.count("<br>"):  # Plotly sets a title of two lines half a line too high
        figure.update_layout(margin_t=AXIS_TITLE_ROOM + TEXT_LINE * extra, title_pad_t=4 + TEXT_LINE * extra)
    return figure


# --- a stack of rows under headings -------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A heading and what explains it, as lines of text; the rows under it with their heights in pixels."""

    heading: Sequence[str]
    note: Sequence[str]
    rows: Sequence[Any]
    row_heights: Sequence[int]

    @property
    def head(self) -> int:
        """Pixels from the top of the heading to the first row."""
        return TEXT_LINE * (len(self.heading) + len(self.note)) + HEAD_GAP

    @property
    def height(self) -> int:
        """Pixels from the heading to the end of its last row."""
        return self.head + sum(self.row_heights) + BLOCK_GAP


def stack(figure: go.Figure, blocks: Sequence[Block], pixels: int) -> dict[tuple[int, int], float]:
    """Lay out blocks from top to bottom, write headings and notes.

    Args:
        figure: its y axis counts pixels from the top of the plot.
        blocks: the blocks.
        pixels: height of the plot; rows are pushed together if they need more.

    Returns:
        (block, row) -> height of the middle of the row.
    """
    heads = sum(block.head + BLOCK_GAP for block in blocks)
    needed = sum(sum(block.row_heights) for block in blocks)
    stretch = min((pixels - heads) / needed, 1.3) if needed else 1.0
    top, middles, sketch = 0.0, {}, Sketch()
    for index, block in enumerate(blocks):
        _write(sketch, top, f"<b>{'<br>'.join(block.heading)}</b>")
        if block.note:
            _write(sketch, top + TEXT_LINE * len(block.heading), "<br>".join(block.note), opacity=MUTED)
        below = top + block.head
        for place, height in enumerate(block.row_heights):
            middles[index, place] = below + height * stretch / 2
            below += height * stretch
        top = below + BLOCK_GAP
    sketch.onto(figure)
    figure.update_yaxes(range=[pixels, 0], visible=False)
    return middles


def _write(sketch: Sketch, y: float, text: str, opacity: float = 1.0) -> None:
    """Text at the left edge whose first line begins at a height."""
    sketch.add_annotation(
        x=0,
        xref="paper",
        y=y,
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor="top",
        align="left",
        opacity=opacity,
        borderpad=0,
    )


def column_titles(**extra: str) -> Mapping[str, str]:
    """Headings of the table twin, what is special to a chart between place and period."""
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
