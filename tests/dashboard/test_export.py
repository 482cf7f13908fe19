"""What a reader takes away: rows that come back as they were, a page that needs nothing but itself."""

from __future__ import annotations

import csv
import io
import re
from html import escape
from typing import Any

import pandas as pd
import pytest

from dashboard import export
from dashboard.chart import REGISTRY, Chart
from dashboard.warehouse import Warehouse

every_chart = pytest.mark.parametrize("chart", REGISTRY.values(), ids=list(REGISTRY))


@every_chart
def test_downloaded_rows_are_the_rows_that_are_drawn(opened: Warehouse, chart: Chart[Any]) -> None:
    frame = opened.query(*chart.query(chart.filters()))
    sources = opened.sources_of(frame)
    text = export.csv(chart, frame, sources).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["claim_id"] for row in rows] == list(frame["claim_id"])
    assert [row["source_id"] for row in rows] == list(frame["source_id"])
    back = pd.read_csv(io.StringIO(text), dtype={"published": str, "period": str})
    for name in set(chart.columns) & set(frame.select_dtypes("number").columns):
        assert back[name].astype(float).tolist() == pytest.approx(
            frame[name].astype(float).tolist(), nan_ok=True
        )
    assert all(row["licence"] and row["cite_as"] and "{" not in row["cite_as"] for row in rows)


@pytest.mark.parametrize("chart_id", ["market-forecasts", "market-arithmetic", "investment-by-year"])
def test_the_page_to_take_away_asks_for_nothing_from_the_network(opened: Warehouse, chart_id: str) -> None:
    """All that it names are the addresses of sources, for readers to click on."""
    chart = REGISTRY[chart_id]
    filters = chart.filters()
    frame = opened.query(*chart.query(filters))
    sources = opened.sources_of(frame)
    page = export.html(chart, filters, frame, sources).decode()
    assert not re.search(r"<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)\s*=", page)
    assert "@import" not in page.split("<body>")[0]
    for url in sources["url"].astype(str):
        assert f'<a href="{escape(url)}">' in page
    assert chart.summary(frame, filters).replace("'", "&#x27;") in page
    assert page.count("<li>") == len(sources)


def test_what_a_source_says_cannot_become_markup(opened: Warehouse) -> None:
    chart = REGISTRY["market-forecasts"]
    filters = chart.filters()
    frame = opened.query(*chart.query(filters))
    sources = opened.sources_of(frame).head(1).assign(publisher="<script>alert(1)</script>", title='"><b>')
    page = export.html(chart, filters, frame, sources).decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&quot;&gt;&lt;b&gt;" in page
