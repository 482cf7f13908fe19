"""The charts in a notebook: the rows of any of them, the figure, the file, the sources.

    from dashboard import atlas

    frame = atlas.frame("market-forecasts", publisher=["IDC"])
    atlas.figure("market-forecasts", publisher=["IDC"]).show()

    made = atlas.render(atlas.select("market-forecasts", publisher=["IDC"]), "png", size="slide")

Filters are keywords, under the names that `genai-atlas charts` lists; values are ids or the words on screen.
The current build answers, and is made first where there is none.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import export
from dashboard.address import find_chart, read_filters, root
from dashboard.chart import REGISTRY
from dashboard.export import Selection, render
from dashboard.theme import Mode
from dashboard.warehouse import warehouse

__all__ = ["charts", "figure", "frame", "render", "select", "sources"]


def charts() -> pd.DataFrame:
    """Every chart: id, topic, title, question, names of its filters."""
    return pd.DataFrame(
        [
            (chart.id, chart.topic, chart.title, chart.question, ", ".join(chart.filters.model_fields))
            for chart in sorted(REGISTRY.values(), key=lambda chart: (chart.topic, chart.id))
        ],
        columns=["id", "topic", "title", "question", "filters"],
    )


def select(chart_id: str, **filters: Any) -> Selection:
    """A chart for a choice of filters, over the current build.

    Raises:
        UnknownChartError: there is no such chart.
        FilterError: there is no such filter, or it cannot have that value.
    """
    chart = find_chart(chart_id)
    asked = {name: _texts(value) for name, value in filters.items() if value is not None}
    return export.select(warehouse(), chart, read_filters(chart, asked), root())


def frame(chart_id: str, **filters: Any) -> pd.DataFrame:
    """The rows that a chart draws; `frame.attrs` says what they are, whose, and how to cite them.

    Raises:
        UnknownChartError: there is no such chart.
        FilterError: there is no such filter, or it cannot have that value.
    """
    selection = select(chart_id, **filters)
    rows = selection.frame.copy()
    rows.attrs.update(selection.metadata())
    return rows


def figure(chart_id: str, *, mode: Mode = "light", **filters: Any) -> go.Figure:
    """The chart as a Plotly figure.

    Raises:
        UnknownChartError: there is no such chart.
        FilterError: there is no such filter, or it cannot have that value.
    """
    return select(chart_id, **filters).figure(mode)


def sources(chart_id: str, **filters: Any) -> pd.DataFrame:
    """The sources of the rows, those with the most rows first, each with its terms and how to cite it.

    Raises:
        UnknownChartError: there is no such chart.
        FilterError: there is no such filter, or it cannot have that value.
    """
    return select(chart_id, **filters).source_cards()


def _texts(value: Any) -> list[str]:
    """A value as an address writes it: a list or a range has one text an item."""
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [str(part) for part in value] or [""]
    return [str(value)]
