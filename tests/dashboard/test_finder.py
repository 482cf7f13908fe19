"""The search from any page leads to where things are shown."""

from __future__ import annotations

import pytest

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
