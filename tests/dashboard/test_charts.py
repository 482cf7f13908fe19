"""What holds for every chart and every choice of a reader, over the shipped data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard import theme
from dashboard.chart import Chart, Filters
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import choices, every_chart, examples, extremes

TEMPLATES = {mode: template.to_plotly_json() for mode, template in theme.TEMPLATES.items()}
STORED_PERIOD = re.compile(r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2]|Q[1-4]|H[12])\b")
PLACEHOLDER = re.compile(r'"#0000(?:0[1-9a-f]|[1-3][0-9a-f])"')


def drawn_claims(figure: dict[str, Any]) -> Iterator[str]:
    """The claims that the marks of a figure stand for."""
    for trace in figure["data"]:
        for entry in trace.get("customdata", []):
            if entry and entry[0]:
                yield entry[0]


def shown_to_the_pointer(figure: dict[str, Any]) -> list[str]:
    """What stands in the second place of customdata, and what is written into the figure."""
    texts = [entry[1] for trace in figure["data"] for entry in trace.get("customdata", []) if len(entry) > 1]
    return [*texts, *(note.get("text") or "" for note in figure["layout"].get("annotations", []))]


def check(opened: Warehouse, chart: Chart[Any], filters: Filters) -> pd.DataFrame:
    """Draw the chart and hold it to everything that is promised; returns its rows."""
    frame = opened.query(*chart.query(filters))
    assert {"claim_id", "source_id", "publisher", "published", "attribution", "url"} <= set(frame.columns)
    assert frame[["claim_id", "source_id", "url"]].notna().all(axis=None)
    sources = opened.sources_of(frame)
    assert set(sources["source_id"]) == set(frame["source_id"])
    assert sources[["publisher", "url", "licence"]].notna().all(axis=None)

    text = chart.draw(frame, filters).to_json()
    figure = json.loads(text)
    assert figure["layout"]["template"] == TEMPLATES["light"]
    assert figure["layout"]["height"] == chart.height
    assert not PLACEHOLDER.search(text)
    assert set(drawn_claims(figure)) <= set(frame["claim_id"])
    assert is_log(figure["layout"]) == ("log scale" in axis_titles(figure["layout"]))

    table = chart.table(frame)
    assert list(table.columns) == list(chart.columns.values())
    assert len(table) == len(frame)

    summary = chart.summary(frame, filters)
    assert summary.endswith((".", "?"))
    assert not re.search(r"\bnan\b|\bNone\b|<NA>|\$-", summary), summary
    if frame.empty:
        assert [note["text"] for note in figure["layout"]["annotations"]] == [
            "No published figure for this choice"
        ]
        assert summary == "No published figure matches these filters."
    said = shown_to_the_pointer(figure)
    assert [each for each in (*said, summary) if STORED_PERIOD.search(each)] == []
    said += list(map(str, table.drop(columns="Address", errors="ignore").to_numpy().flat))
    words = {word for each in said for word in re.split(r"[\s,;:()<>/]+", each)}
    assert not words & {*frame["claim_id"], *frame["source_id"]}
    return frame


def is_log(layout: dict[str, Any]) -> bool:
    """Whether an axis has a log scale."""
    return any(layout.get(axis, {}).get("type") == "log" for axis in ("xaxis", "yaxis"))


def axis_titles(layout: dict[str, Any]) -> str:
    """The titles of a figure and its axes."""
    told = [layout.get("title"), *(layout.get(name, {}).get("title") for name in ("xaxis", "yaxis"))]
    return json.dumps(told)


@every_chart
def test_a_chart_draws_its_defaults_and_the_ends_of_every_filter(
    opened: Warehouse, chart: Chart[Any]
) -> None:
    frames = [check(opened, chart, filters) for filters in extremes(chart)]
    assert frames[0].empty == chart.needs_refresh
    dark = chart.draw(frames[0], chart.filters(), "dark").layout.template
    assert dark.layout.font.color == theme.TEMPLATES["dark"].layout.font.color
    assert "is_repeat" not in frames[0] or not frames[0]["is_repeat"].any()


@every_chart
@given(data=st.data())
@examples(5)
def test_a_chart_draws_whatever_a_reader_may_choose(
    opened: Warehouse, chart: Chart[Any], data: st.DataObject
) -> None:
    check(opened, chart, data.draw(choices(chart)))


@every_chart
def test_a_chart_without_rows_says_so(opened: Warehouse, chart: Chart[Any]) -> None:
    filters = chart.filters()
    nothing = opened.query(*chart.query(filters)).head(0)
    (note,) = chart.draw(nothing, filters).layout.annotations
    assert note.text == "No published figure for this choice"
    assert chart.summary(nothing, filters) == "No published figure matches these filters."


@every_chart
@given(data=st.data())
@examples(2)
def test_conditions_that_rule_nothing_out_are_left_out_of_the_statement(
    opened: Warehouse, chart: Chart[Any], data: st.DataObject
) -> None:
    for filters in (chart.filters(), data.draw(choices(chart))):
        statement, values = chart.query(filters)
        assert "IS NULL OR" not in statement
        assert "::VARCHAR[]) = 0 OR" not in statement
        named = set(re.findall(r"\$(\w+)", chart.sql))
        whole = {name: value for name, value in filters.parameters().items() if name in named}
        pd.testing.assert_frame_equal(opened.query(statement, values), opened.query(chart.sql, whole))
