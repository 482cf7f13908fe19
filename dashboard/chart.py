"""What a chart is, and the registry of all charts.

A chart is declared once and serves everywhere: page, table twin, download, command line, tests. Its filters
are a Pydantic model whose field names are the names in the address; its SQL is one parameterised SELECT whose
rows carry `claim_id` and `source_id`, so that the sources under a chart are computed from what is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin

import pandas as pd
import plotly.graph_objects as go
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from dashboard import theme


@dataclass(frozen=True)
class Control:
    """How a reader meets a filter.

    Attributes:
        label: what stands beside it.
        options_sql: SELECT value[, label] of the values that the build holds (for text filters), or
            SELECT least, greatest (for a range of years).
        labels: words for the values of a closed choice.
        help: one sentence where the label does not suffice.
        is_primary: shown at once; the others wait behind "More filters".
        all_label: what an empty choice means.
        width: pixels of a list or a text field.
        is_slider: whether a number is chosen on a slider (a point in time) rather than typed.
    """

    label: str
    options_sql: str | None = None
    labels: Mapping[str, str] | None = None
    help: str | None = None
    is_primary: bool = False
    all_label: str = "All"
    width: int = 240
    is_slider: bool = False


class Filters(BaseModel):
    """Base of all filter models: unknown names and bad values are errors, instances never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def controls(cls) -> Iterator[tuple[str, FieldInfo, Control]]:
        """(name, field, control) of every filter, in the order of declaration."""
        for name, field in cls.model_fields.items():
            for note in field.metadata:
                if isinstance(note, Control):
                    yield name, field, note

    def changed(self) -> dict[str, Any]:
        """The values that differ from the defaults: what has to stand in an address."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def parameters(self) -> dict[str, Any]:
        """Values for the SQL: a range `x` becomes `x_from` and `x_to`, everything else keeps its name."""
        values: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if is_range(field):
                values[f"{name}_from"], values[f"{name}_to"] = value or (None, None)
            else:
                values[name] = value
        return values


def is_range(field: FieldInfo) -> bool:
    """Whether a filter is a pair of years (or nothing)."""
    return any(get_origin(part) is tuple for part in (get_args(field.annotation) or (field.annotation,)))


F = TypeVar("F", bound=Filters)


@dataclass(frozen=True)
class Chart(Generic[F]):
    """One chart.

    Attributes:
        id: kebab-case, part of addresses and file names for ever.
        topic: the page that it belongs to.
        title: what is shown, in the reader's words.
        question: the question that it answers.
        reading: how to read it: what a mark, a colour, a dash stands for.
        filters: its filter model.
        sql: SELECT over marts; every `$name` is a value of `filters.parameters()`.
        figure: frame and filters in, figure out; no SQL, no files, no clock.
        takeaway: frame and filters in, one sentence out; the subtitle and the alternative text.
        columns: column -> heading of the table twin, in order.
        height: pixels, fixed, so that nothing on a page jumps.
        is_behind_more: whether its page shows it only after a click on "More".
        needs_refresh: whether all its figures come from live sources, so that what ships has none.
    """

    id: str
    topic: str
    title: str
    question: str
    reading: str
    filters: type[F]
    sql: str
    figure: Callable[[pd.DataFrame, F], go.Figure]
    takeaway: Callable[[pd.DataFrame, F], str]
    columns: Mapping[str, str]
    height: int = 460
    is_behind_more: bool = False
    needs_refresh: bool = False

    def query(self, filters: F) -> tuple[str, dict[str, Any]]:
        """The statement, without the conditions that rule nothing out, and the values that it names."""
        values = filters.parameters()
        statement = _narrowed(self.sql, values)
        named = set(re.findall(r"\$(\w+)", statement))
        return statement, {name: value for name, value in values.items() if name in named}

    def draw(self, frame: pd.DataFrame, filters: F, mode: theme.Mode = "light") -> go.Figure:
        """The finished figure: template, height, alternative for an empty frame."""
        figure = empty_figure() if frame.empty else self.figure(frame, filters)
        if mode == "dark":
            figure = theme.for_dark(figure)
        figure.update_layout(template=theme.TEMPLATES[mode], height=self.height)
        return figure

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table twin: the very rows that are drawn, in words and under headings that people read."""
        table = frame[list(self.columns)]
        if "attribution" in table:
            table = table.assign(attribution=table["attribution"].map(theme.ATTRIBUTIONS))
        return table.rename(columns=dict(self.columns))

    def summary(self, frame: pd.DataFrame, filters: F) -> str:
        """The takeaway, or what it means that there is nothing to draw."""
        return "No published figure matches these filters." if frame.empty else self.takeaway(frame, filters)


# The start of a condition on a filter that may be unset: an empty list, no value, a switch that is on.
_UNLESS_UNSET = re.compile(
    r"(?P<before>\s+(?:AND|WHERE) )\("
    r"(?:len\(\$(?P<many>\w+)::VARCHAR\[\]\) = 0|\$(?P<one>\w+) IS NULL|\$(?P<switch>\w+)) OR "
)


def _narrowed(sql: str, values: Mapping[str, Any]) -> str:
    """The statement without `AND ($x IS NULL OR …)` and its like where x is unset, else with the rest of it.

    The rows are the same; a reader who copies the statement sees what was chosen, and DuckDB plans less.
    """
    kept, done = [], 0
    for found in _UNLESS_UNSET.finditer(sql):
        end = _closing(sql, found.end())
        condition = sql[found.end() : end]
        kept.append(sql[done : found.start()])
        if not _is_unset(found, values):
            kept.append(found["before"] + (f"({condition})" if " OR " in condition else condition))
        elif "WHERE" in found["before"]:
            kept.append(found["before"] + "true")
        done = end + 1
    return "".join([*kept, sql[done:]])


def _is_unset(found: re.Match[str], values: Mapping[str, Any]) -> bool:
    """Whether the condition that begins here lets every row through."""
    if found["switch"]:
        return bool(values[found["switch"]])
    return values[found["one"]] is None if found["one"] else not values[found["many"]]


def _closing(sql: str, start: int) -> int:
    """Where the parenthesis closes that was opened before this place."""
    depth = 1
    for place, letter in enumerate(sql[start:], start):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    raise ValueError("A parenthesis of the statement never closes.")


REGISTRY: dict[str, Chart[Any]] = {}


def register(chart: Chart[F]) -> Chart[F]:
    """Add a chart to the registry; its id must be new and in kebab-case."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", chart.id):
        raise ValueError(f"The chart id {chart.id!r} is not in kebab-case.")
    if chart.id in REGISTRY:
        raise ValueError(f"Two charts are called {chart.id!r}.")
    REGISTRY[chart.id] = chart
    return chart


def empty_figure() -> go.Figure:
    """A figure that says that nothing was published for the choice, instead of empty axes."""
    figure = go.Figure()
    figure.update_layout(xaxis_visible=False, yaxis_visible=False)
    figure.add_annotation(
        text="No published figure for this choice", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
    )
    return figure
