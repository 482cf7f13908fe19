"""One look for all figures: palette, the two Plotly templates, number formats, label placement.

Colours are Okabe and Ito's, told apart by colour-blind readers, legible on both grounds; grey for the many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Literal

import plotly.graph_objects as go

Mode = Literal["light", "dark"]

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
# Two of Tol's muted colours after Okabe and Ito's six (their yellow and black vanish on one background each).
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#999933", "#44AA99")
GREY = "#8b96a3"
FAINT = "rgba(139, 150, 163, 0.45)"
BAND = "rgba(139, 150, 163, 0.22)"
# From blue over grey to gold as in Cividis, both ends drawn in so that each stands out on white and on black.
SEQUENTIAL = ("#2c6fbb", "#5379a6", "#728391", "#8e8e7c", "#ac9a63", "#cba641")
# Of maps, from low to high: the lightest stands out from land without a figure. On dark pages light is high.
MAP_RAMP = ("#c6dff2", "#93c4e6", "#5ba6d6", "#2b87c2", "#0069a8", "#00528a")
FONT = "'Source Sans', 'Source Sans Pro', 'Source Sans 3', sans-serif"
SYMBOLS = {
    "primary": "circle",
    "relayed": "circle",
    "inferred": "diamond",
    "unnamed": "square",
    "misquoted": "x-thin",
}
ATTRIBUTIONS = {
    "primary": "read at the publisher",
    "relayed": "relayed by another page",
    "inferred": "firm inferred from the figures",
    "misquoted": "misquoted: differs from the original",
    "unnamed": "firm not named",
}


def _template(text: str, muted: str, grid: str, surface: str) -> go.layout.Template:
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zerolinecolor": muted,
        "zerolinewidth": 1,
        "tickfont": {"size": 12, "color": muted},
        "title": {"font": {"size": 13, "color": muted}, "standoff": 10},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(PALETTE),
            "margin": {"l": 10, "r": 16, "t": 12, "b": 10},
            # The title of a chart stands in its card; in the figure this is the name of the value axis.
            "title": {
                "font": {"size": 13, "color": muted},
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 4},
            },
            "xaxis": {**axis, "showgrid": False, "ticks": "outside", "tickcolor": grid},
            "yaxis": {**axis, "showgrid": True},
            "showlegend": False,
            "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom", "font": {"size": 12}},
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": surface,
                "bordercolor": grid,
                "font": {"family": FONT, "color": text, "size": 13},
                "align": "left",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": muted, "activecolor": text},
            "annotationdefaults": {"font": {"color": text, "size": 12}},
            "dragmode": False,
            "separators": ".,",
        }
    )


TEMPLATES: dict[Mode, go.layout.Template] = {
    "light": _template("#1c2530", "#56616e", "#e3e8ed", "#ffffff"),
    "dark": _template("#e6ebf0", "#a3aebb", "#2d3742", "#1b222b"),
}


# Colours that sink into a dark ground, and what stands for them there.
_ON_DARK = {
    BLUE: "#2E8FD6",
    SEQUENTIAL[0]: "#3f74d1",
    SEQUENTIAL[1]: "#5b82c4",
    SEQUENTIAL[2]: "#7b8db5",
    **dict(zip(MAP_RAMP, reversed(MAP_RAMP), strict=True)),
}


def for_dark(figure: go.Figure) -> go.Figure:
    """The same figure with colours that are legible on a dark ground."""
    text = figure.to_json(validate=False)
    text = re.sub(r"#[0-9A-Fa-f]{6}", lambda match: _ON_DARK.get(match[0], match[0]), text)
    return go.Figure(json.loads(text), skip_invalid=False)


def hue(rank: int) -> str:
    """The colour that stays with a publisher, framework or place everywhere, by its rank in the build."""
    return PALETTE[(rank - 1) % len(PALETTE)]


def ramp(count: int) -> list[str]:
    """`count` colours along the sequential ramp, blue to gold; the last is for the newest."""
    if count == 1:
        return [BLUE]
    return [SEQUENTIAL[round(i * (len(SEQUENTIAL) - 1) / (count - 1))] for i in range(count)]


def exact(value: float) -> str:
    """A figure with all the digits that it was published with, thousands separated."""
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return text or "0"


def usd_bn(value: float) -> str:
    """An amount given in billions of US dollars, no digit lost: $37.9 bn, $1.3 tn, $294 M."""
    if value >= 1000 and round(value / 1000, 2) * 1000 == value:
        return f"${exact(value / 1000)} tn"
    if 0 < value < 1:
        return f"${exact(round(value * 1000, 6))} M"
    return f"${exact(value)} bn"


def percent(value: float, digits: int = 1) -> str:
    """A computed percentage: at most one decimal."""
    return f"{value:,.{digits}f}".removesuffix(".0") + "%"


def times(ratio: float) -> str:
    """How many times: 1.4, 9, 150."""
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def spread_out(positions: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Middles of labels of these sizes, moved as little as needed so that none overlap; in the same order."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    # With the room of all labels below subtracted, "no overlap" becomes "not smaller than the one below".
    room = [0.0]
    for below, above in pairwise(order):
        room.append(room[-1] + (sizes[below] + sizes[above]) / 2)
    groups: list[list[float]] = []
    for index, taken in zip(order, room, strict=True):
        groups.append([positions[index] - taken])
        # Labels that would overlap form a group around the mean of what they label.
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    middles = [fmean(group) for group in groups for _ in group]
    placed = {index: middle + taken for index, middle, taken in zip(order, middles, room, strict=True)}
    return [placed[index] for index in range(len(positions))]
