"""The search from any page leads to where things are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address import in_words, refused
from dashboard.chart import REGISTRY
from dashboard.finder import index
from dashboard.pages import PAGES
from dashboard.warehouse import Warehouse


def test_every_chart_and_every_kind_of_thing_can_be_found(opened: Warehouse) -> None:
    labels = set(index())
    assert {f"{chart.title} · chart" for chart in REGISTRY.values()} <= labels
    expected = {
        "London, United Kingdom · place",
        "San Francisco, United States · place",
        "Germany · people and jobs",
        "PyTorch · tool",
        "Python · skill",
        "AI job postings · metric",
    }
    assert expected <= labels


def test_what_is_found_is_a_page_that_knows_the_value(opened: Warehouse) -> None:
    """Every parameter is one of the page's own, with a value that it accepts."""
    pages = {page.path: page for page in PAGES}
    for hit in index().values():
        controls = {name: (field, control) for name, field, control in pages[hit.page].controls()}
        for name, value in hit.parameters.items():
            if name in controls:
                assert not refused([value], *controls[name]), hit


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("London, United Kingdom · place", "place=London%2C+United+Kingdom"),
        ("PyTorch · tool", "tool=PyTorch"),
    ],
)
def test_ids_become_the_words_that_the_address_shows(opened: Warehouse, label: str, query: str) -> None:
    hit = index()[label]
    page = next(page for page in PAGES if page.path == hit.page)
    asked = "&".join(f"{name}={value}" for name, value in hit.parameters.items())
    assert in_words(page, asked) == query


@pytest.mark.parametrize(
    ("script", "label", "key", "value"),
    [
        ("hubs.py", "London, United Kingdom · place", "place", "london-gb"),
        ("workforce.py", "Germany · people and jobs", "places", ["DEU"]),
        ("market.py", "What the market is made of · chart", "more", True),
        ("data.py", "AI job postings · metric", "metric", "AI job postings"),
    ],
)
def test_what_is_on_the_very_page_is_found_as_well(
    run_page: Callable[..., AppTest], script: str, label: str, key: str, value: Any
) -> None:
    app = run_page(script)
    question = app.title[0].value
    app.selectbox(key="search").select(label).run()
    assert not app.exception
    assert app.title[0].value == question
    assert app.session_state[key] == value
