"""The registry: which charts there are, and that each is declared completely."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import dashboard
import dashboard.charts
from dashboard.chart import REGISTRY, Chart, register
from dashboard.pages import PAGES
from tests.dashboard.conftest import every_chart

MARKET = {
    "market-forecasts",
    "market-size-by-year",
    "market-growth-rates",
    "market-arithmetic",
    "market-vintages",
    "market-segments",
    "market-regions",
    "market-scenario",
    "investment-by-year",
    "investment-by-country",
}


def test_the_market_page_has_its_ten_charts() -> None:
    """Their ids are in addresses and files of readers: none ever goes or changes."""
    assert {chart.id for chart in REGISTRY.values() if chart.topic == "market"} == MARKET


@every_chart
def test_a_chart_is_declared_completely(chart: Chart[Any]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", chart.id)
    assert chart.topic in {page.path for page in PAGES}
    assert chart.question.endswith("?")
    assert chart.reading.endswith(".")
    assert len(set(chart.columns.values())) == len(chart.columns)
    assert not chart.title.endswith(".")


@every_chart
def test_every_filter_has_a_control_and_every_parameter_of_the_sql_a_filter(chart: Chart[Any]) -> None:
    defaults = chart.filters()
    assert [name for name, _, _ in defaults.controls()] == list(chart.filters.model_fields)
    assert set(re.findall(r"\$(\w+)", chart.sql)) <= defaults.parameters().keys()
    assert defaults.changed() == {}


@every_chart
def test_a_filter_of_one_name_is_the_same_choice_on_every_chart_of_a_page(chart: Chart[Any]) -> None:
    """The address has one value for it: two defaults or types would contradict each other."""
    for other in REGISTRY.values():
        if other.topic == chart.topic:
            for name in chart.filters.model_fields.keys() & other.filters.model_fields.keys():
                mine, theirs = chart.filters.model_fields[name], other.filters.model_fields[name]
                assert (mine.annotation, mine.default) == (theirs.annotation, theirs.default), (
                    other.id,
                    name,
                )


@pytest.mark.parametrize("chart_id", ["Market", "market_size", "-market", "market size", ""])
def test_an_id_that_is_not_kebab_case_is_refused(chart_id: str) -> None:
    chart = REGISTRY["market-forecasts"]
    with pytest.raises(ValueError, match="not in kebab-case"):
        register(Chart(**{**vars(chart), "id": chart_id}))


def test_an_id_is_given_once() -> None:
    with pytest.raises(ValueError, match="Two charts are called 'market-forecasts'"):
        register(REGISTRY["market-forecasts"])


def test_every_page_has_its_script_and_an_address_of_its_own() -> None:
    folder = Path(dashboard.__file__).with_name("app_pages")
    assert all((folder / page.script).is_file() for page in PAGES)
    assert len({page.path for page in PAGES}) == len(PAGES)


def test_a_filter_model_refuses_what_it_does_not_know() -> None:
    filters = REGISTRY["market-forecasts"].filters
    with pytest.raises(ValueError, match="scale"):
        filters(scale="cubic")
    with pytest.raises(ValueError, match="Extra inputs"):
        filters(colour="red")
