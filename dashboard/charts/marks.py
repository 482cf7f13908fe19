"""Marks that several charts share: hover text, axes, labels that keep apart, strips of claims."""

from __future__ import annotations

import calendar
import math
import textwrap
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme

# customdata of every mark: claim id (for clicks and tests, never shown), text.
HOVER = "%{customdata[1]}<extra></extra>"
# Room on the right for the names at line ends, which are wrapped to fit.
LABEL_MARGIN = 108
LABEL_WIDTH = 15  # characters
LINE_HEIGHT = 15  # pixels of one line of a label
AXIS_TITLE_ROOM = 38  # pixels above the plot for the title of the value axis
AXES_HEIGHT = AXIS_TITLE_ROOM + 56  # pixels of a chart that are not plot
UNNAMED = "Firm not named"


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows as objects with the columns as attributes; what type each has, only the SQL knows."""
    # As `frame.itertuples(index=False)`, which makes a type each time and takes each column by a slow way.
    kind, is_long = _row_type(tuple(frame.columns)), len(frame) > 50
    columns = (
        # A long column of text is five times slower to walk through than to convert.
        column.to_numpy(dtype=object) if is_long and column.dtype == "str" else column
        for _, column in frame.items()
    )
    return map(kind._make, zip(*columns, strict=True))


@lru_cache
def _row_type(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns, rename=True)


def wrapped(name: str, width: int = LABEL_WIDTH) -> str:
    """A name over several short lines."""
    return "<br>".join(textwrap.wrap(name, width, break_long_words=False))


def spoken(period: str) -> str:
    """A period or a day as a reader says it: 3 September 2023, the second quarter of 2024, 2015 to 2022."""
    if "/" in period:
        return " to ".join(spoken(part) for part in period.split("/"))
    year, _, part = period.partition("-")
    if not part:
        return year
    if part[0] in "QH":
        ordinal = ("first", "second", "third", "fourth")[int(part[1]) - 1]
        return f"the {ordinal} {'quarter' if part[0] == 'Q' else 'half'} of {year}"
    month, _, day = part.partition("-")
    return f"{f'{int(day)} ' if day else ''}{calendar.month_name[int(month)]} {year}"


def capitalised(words: str) -> str:
    """The words with a capital first letter, all others as they are."""
    return words[:1].upper() + words[1:]


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 claim, 3 claims."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: A, B and C."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""


def firms(frame: pd.DataFrame) -> int:
    """How many publishers with a name are in the frame."""
    return int(frame.loc[frame["publisher"] != UNNAMED, "publisher"].nunique())


def said_by(publisher: str) -> str:
    """A publisher as it stands in a sentence."""
    return "a firm that is not named" if publisher == UNNAMED else publisher


def hover_text(row: Any, words: str) -> str:
    """Publisher, what it says, report and date, how it was read."""
    edition = getattr(row, "edition", None)
    report = [f"<i>{wrapped(edition, 60)}</i>"] if pd.notna(edition) else []
    when = f"published {spoken(row.published)}" if pd.notna(row.published) else "undated"
    return "<br>".join(
        [f"<b>{row.publisher}</b>", words, *report, f"{when}, {theme.ATTRIBUTIONS[row.attribution]}"]
    )


def hover_rows(rows: Iterable[Any], words: Callable[[Any], str]) -> list[list[str]]:
    """The customdata of one mark a record."""
    return [[row.claim_id, hover_text(row, words(row))] for row in rows]


def hover_data(frame: pd.DataFrame, words: Callable[[Any], str]) -> list[list[str]]:
    """The customdata of one mark a row."""
    return hover_rows(records(frame), words)


def publisher_hues(frame: pd.DataFrame) -> dict[str, str]:
    """The colour of every publisher in the frame; grey for firms that are not named."""
    ranks = frame.drop_duplicates("publisher").set_index("publisher")["publisher_rank"]
    return {str(name): theme.GREY if pd.isna(rank) else theme.hue(int(rank)) for name, rank in ranks.items()}


@dataclass
class Sketch:
    """Marks and texts as plain dictionaries, put on a figure all at once.

    A figure checks each mark twice that is added to it, and with each text all that it already has.
    """

    marks: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)

    def add_scatter(self, **mark: Any) -> None:
        """Add points or lines, with what `Figure.add_scatter` takes."""
        self.marks.append({"type": "scatter", **mark})

    def add_bar(self, **mark: Any) -> None:
        """Add bars, with what `Figure.add_bar` takes."""
        self.marks.append({"type": "bar", **mark})

    def add_annotation(self, **text: Any) -> None:
        """Add a text, with what `Figure.add_annotation` takes."""
        self.texts.append(text)

    def onto(self, figure: go.Figure) -> None:
        """Draw it all on a figure, over what that has."""
        figure.add_traces(self.marks)
        add_texts(figure, self.texts)


def add_texts(figure: go.Figure, texts: Sequence[dict[str, Any]]) -> None:
    """Write texts on a figure at once, beside those that it has."""
    figure.layout.annotations = [*figure.layout.annotations, *texts]


def spread_bar(sketch: Sketch, xs: Sequence[Any], ys: Sequence[Any], width: int) -> None:
    """A faint bar from the lowest to the highest of several values; None between the points of two bars."""
    sketch.add_scatter(
        x=xs, y=ys, mode="lines", name="spread", line={"width": width, "color": theme.BAND}, hoverinfo="skip"
    )


# --- axes -----------------------------------------------------------------------------------------


def title_above(figure: go.Figure, title: str) -> None:
    """Name the value axis in one line above the plot: upright, read first, and no width is lost."""
    figure.update_layout(title_text=title, margin_t=AXIS_TITLE_ROOM)


def money_title(title: str, *, is_log: bool) -> str:
    """A title with unit and, where it is logarithmic, the scale."""
    return f"{title}, US$" + (" (log scale)" if is_log else "")


def money_ticks(low: float, high: float, *, is_log: bool, most: int = 8) -> dict[str, Any]:
    """At most `most` or so round amounts from low to high, as an axis takes them: $10 bn, $1 tn."""
    ticks = _log_ticks(low, high, most) if is_log else _linear_ticks(low, high, most)
    words = [theme.usd_bn(tick) if tick else "0" for tick in ticks]
    return {"type": "log" if is_log else "linear", "tickvals": ticks, "ticktext": words}


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    least, greatest = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(least - 1, greatest + 2, 1 + (greatest - least) // (most + 1))
    ticks = [10.0**power for power in powers]
    for digits in ((1, 3), (1, 2, 5), range(1, 10)):
        finer = [digit * 10.0**power for power in powers for digit in digits]
        if powers.step > 1 or len([tick for tick in finer if low <= tick <= high]) > most:
            break
        ticks = finer
    return ticks


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    least, greatest = min(low, 0.0), max(high, 0.0)
    span = greatest - least
    if not span:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(span))
    step = next(power * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if span / (power * part) <= most)
    return [step * i for i in range(math.floor(least / step), math.ceil(greatest / step) + 1)]


def year_axis(figure: go.Figure, first: float, last: float) -> None:
    """An axis of whole years, its labels upright on narrow screens too."""
    steps = {"dtick": 1} if last - first <= 4 else {}
    figure.update_xaxes(tickformat="d", tickangle=0, range=[first - 0.5, last + 0.5], **steps)


def hollow_while_running(statuses: Iterable[str]) -> list[str]:
    """Symbols of marks over time: what covers a part of its period, the running one, is hollow."""
    return ["circle-open" if status == "partial" else "circle" for status in statuses]


def so_far(row: Any, before: str = " ") -> str:
    """What stands after a period that goes on; nothing after one that is over."""
    return f"{before}so far" if row.status == "partial" else ""


def years_at_their_middle(figure: go.Figure, moments: pd.Series) -> None:
    """An axis of time (2025.5 is the middle of 2025), each year named where its middle is."""
    first, last = int(moments.min()), int(moments.max())
    figure.update_xaxes(
        range=[first - 0.05, last + 1.05],
        tickvals=[year + 0.5 for year in range(first, last + 1)],
        ticktext=[str(year) for year in range(first, last + 1)],
        tickangle=0,
    )


def legend_below(figure: go.Figure, room: int = 60) -> None:
    """Name the marks under the plot, in `room` pixels; the names wrap on narrow screens."""
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom", "tracegroupgap": 0},
        margin_b=room,
    )


# --- labels ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EndLabel:
    """A name for the end of a line, and how high that is in the units of the axis (log10 on a log axis)."""

    name: str
    height: float
    color: str


def label_line_ends(
    figure: go.Figure, labels: Sequence[EndLabel], span: tuple[float, float], pixels: int
) -> None:
    """Write names right of the plot beside the ends of their lines, pushed apart where they would overlap.

    Args:
        figure: its y axis gets the range `span`.
        labels: the names.
        span: least and greatest value of the y axis, in its units.
        pixels: height of the chart.
    """
    low, high = span
    unit = (high - low) / (pixels - AXES_HEIGHT)
    texts = [wrapped(label.name) for label in labels]
    sizes = [unit * (LINE_HEIGHT * (text.count("<br>") + 1) + 3) for text in texts]
    heights = theme.spread_out([label.height for label in labels], sizes)
    names = [
        {
            "x": 1.01,
            "xref": "paper",
            "y": (height - low) / (high - low),
            "yref": "paper",
            "text": text,
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "middle",
            "align": "left",
            "font": {"color": label.color},
        }
        for label, text, height in zip(labels, texts, heights, strict=True)
    ]
    add_texts(figure, names)
    figure.update_layout(margin_r=LABEL_MARGIN)
    figure.update_yaxes(range=[low, high])


# --- the strip ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """What a strip shows: one row a category, one mark a claim.

    Attributes:
        category: column whose values are the rows; sorted by the largest value.
        value: column of the values.
        title: title of the value axis, with its unit unless that is money.
        words: what the hover says of a row.
        unit: money (log axis), percent or a count (linear axes).
        hollow: which marks are hollow.
        most: how many categories at most; the table twin has all.
    """

    category: str
    value: str
    title: str
    words: Callable[[Any], str]
    unit: Literal["usd_bn", "percent", "count"] = "usd_bn"
    hollow: pd.Series | None = None
    most: int = 30


def strip_figure(frame: pd.DataFrame, strip: Strip) -> go.Figure:
    """One mark a claim, one row a category, a faint bar from the lowest to the highest of each row."""
    figure, sketch = go.Figure(), Sketch()
    extent = frame.groupby(strip.category)[strip.value].agg(["min", "max"])
    extent = extent.sort_values("max", ascending=False).head(strip.most)
    shown = frame[frame[strip.category].isin(extent.index)]
    names = {name: wrapped(capitalised(str(name)), 26) for name in extent.index}
    for name, row in extent[extent["max"] > extent["min"]].iterrows():
        spread_bar(sketch, [row["min"], row["max"]], [names[str(name)]] * 2, width=5)
    hues = publisher_hues(shown)
    colors = [hues[name] for name in shown["publisher"]]
    sketch.add_scatter(
        x=shown[strip.value],
        y=shown[strip.category].map(names),
        mode="markers",
        name="claims",
        customdata=hover_data(shown, strip.words),
        hovertemplate=HOVER,
        marker={
            "color": colors,
            "symbol": _symbols(shown, strip),
            "size": 10,
            "line": {"width": 2, "color": colors},
            "opacity": [1.0 if how == "primary" else 0.75 for how in shown["attribution"]],
        },
    )
    sketch.onto(figure)
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=[names[name] for name in extent.index[::-1]],
        showgrid=True,
        ticklabelstandoff=6,
    )
    figure.update_xaxes(showgrid=True, tickangle=0, **_strip_axis(shown[strip.value], strip))
    return figure


def _symbols(shown: pd.DataFrame, strip: Strip) -> list[str]:
    """A shape for how each figure was read, hollow where the strip says so."""
    hollow = strip.hollow.loc[shown.index] if strip.hollow is not None else [False] * len(shown)
    shapes = shown["attribution"].map(theme.SYMBOLS)
    return [
        f"{shape}-open" if is_hollow and "thin" not in shape else shape
        for shape, is_hollow in zip(shapes, hollow, strict=True)
    ]


def _strip_axis(values: pd.Series, strip: Strip) -> dict[str, Any]:
    if strip.unit == "usd_bn":
        low, high = float(values.min()), float(values.max())
        is_log = low > 0
        return {
            "title": money_title(strip.title, is_log=is_log),
            **money_ticks(low, high, is_log=is_log, most=3),
        }
    suffix = "%" if strip.unit == "percent" else ""
    return {"title": strip.title, "rangemode": "tozero", "ticksuffix": suffix}
