"""Addresses: what they may ask for, by id or by the words on screen, and links back to the same view."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard import address
from dashboard.chart import REGISTRY, Chart, is_range
from dashboard.pages import PAGES, SourceFilters
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import choices, every_chart, examples

MARKET = next(page for page in PAGES if page.path == "market")
SOURCES = next(page for page in PAGES if page.path == "sources")


@pytest.mark.parametrize(
    ("asked", "in_words"),
    [
        ("market=artificial_intelligence&scale=linear", "market=Artificial+intelligence&scale=Linear"),
        ("market=Artificial+intelligence&scale=linear", "market=Artificial+intelligence&scale=Linear"),
        (
            "attribution=primary&attribution=relayed+by+another+page",
            "attribution=read+at+the+publisher&attribution=relayed+by+another+page",
        ),
        ("region=USA", "region=United+States"),
        ("year=2031&scale=log", "year=2031&scale=Log"),
    ],
)
def test_an_id_is_as_good_as_the_words_on_screen(opened: Warehouse, asked: str, in_words: str) -> None:
    assert address.in_words(MARKET, asked) == in_words


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "market=nonsense",
        "market=Generative%20AI",
        "published=2023&published=2024",
        "utm_source=letter",
        "publisher=IDC",
        "more=true&repeats=True",
        "market=&highlight",
        "%ff=%00&=;",
    ],
)
def test_what_holds_no_id_stays_as_it_is(opened: Warehouse, asked: str) -> None:
    assert address.in_words(MARKET, asked) == asked


def test_every_source_has_words_of_its_own(opened: Warehouse) -> None:
    """Two sources of one name would share an address."""
    (field, control) = next((f, c) for name, f, c in SourceFilters.controls() if name == "source")
    words = address.choices(field, control)
    assert len(set(words.values())) == len(words)
    assert words.keys() - {""} == set(opened.query("SELECT source_id FROM source_card")["source_id"])


def test_a_source_is_named_by_its_id(opened: Warehouse) -> None:
    source_id = str(opened.query("SELECT min(source_id) AS least FROM source_card")["least"].item())
    (field, control) = next((f, c) for name, f, c in SourceFilters.controls() if name == "source")
    query = address.in_words(SOURCES, f"source={source_id}")
    assert parse_qs(query)["source"] == [address.choices(field, control)[source_id]]


@every_chart
@given(data=st.data())
@examples(5)
def test_a_link_leads_to_the_same_view(opened: Warehouse, chart: Chart[Any], data: st.DataObject) -> None:
    """Read back as the page reads it: words become ids, what is missing is the default."""
    filters = data.draw(choices(chart))
    parts = urlsplit(address.link(chart, filters))
    assert (parts.path, parts.fragment) == (chart.topic, chart.id)
    page = next(page for page in PAGES if page.path == chart.topic)
    asked = parse_qs(address.in_words(page, parts.query), keep_blank_values=True)
    assert (asked.pop(address.MORE, None) == ["true"]) == chart.is_behind_more
    values: dict[str, Any] = {}
    for name, field, control in chart.filters.controls():
        if name not in asked:
            continue
        assert address.refused(asked[name], field, control) == []
        if is_range(field) or field.annotation in (bool, int, float):
            values[name] = asked[name] if is_range(field) else asked[name][-1]
            continue
        ids = {words: key for key, words in address.choices(field, control).items()}
        keys = [ids.get(words, words) for words in asked[name]]
        if isinstance(field.get_default(call_default_factory=True), list):
            keys = [key for key in keys if key]
        values[name] = keys if isinstance(field.get_default(call_default_factory=True), list) else keys[-1]
    assert chart.filters.model_validate(values) == filters


@pytest.mark.parametrize(
    ("name", "asked", "refused"),
    [
        ("market", ["nonsense"], ["nonsense"]),
        ("market", ["generative_ai"], []),
        ("market", ["Generative AI"], []),
        ("publisher", ["IDC", "Nobody"], ["Nobody"]),
        ("repeats", ["maybe"], ["maybe"]),
        ("repeats", ["TRUE"], []),
        ("published", ["2024", "2023"], []),
        ("published", ["2024"], ["2024"]),
        ("published", ["1066", "2024"], ["1066", "2024"]),
        ("published", ["now", "then"], ["now", "then"]),
        ("year", ["2030.5"], ["2030.5"]),
        ("year", ["9999999999999999999"], ["9999999999999999999"]),
        ("year", ["2031"], []),
        ("year", [], []),
    ],
)
def test_what_a_filter_does_not_know_is_told(
    opened: Warehouse, name: str, asked: list[str], refused: list[str]
) -> None:
    model = REGISTRY["market-size-by-year"].filters
    (field, control) = next((f, c) for known, f, c in model.controls() if known == name)
    assert address.refused(asked, field, control) == refused


@pytest.mark.parametrize("asked", ["0", "-4", "nan", "inf", "1e9", "ten", ""])
def test_a_number_out_of_bounds_is_refused(opened: Warehouse, asked: str) -> None:
    model = REGISTRY["market-scenario"].filters
    (field, control) = next((f, c) for known, f, c in model.controls() if known == "base")
    assert address.refused([asked], field, control) == [asked]


# --- what a request or a command line asks for ----------------------------------------------------


@every_chart
@given(data=st.data())
@examples(5)
def test_a_choice_comes_back_from_its_own_address(
    opened: Warehouse, chart: Chart[Any], data: st.DataObject
) -> None:
    filters = data.draw(choices(chart))
    query = urlsplit("/" + address.link(chart, filters)).query
    asked = parse_qs(query, keep_blank_values=True)
    asked.pop(address.MORE, None)
    assert address.read_filters(chart, asked) == filters


def test_words_on_screen_are_understood_as_well_as_ids(opened: Warehouse) -> None:
    chart = REGISTRY["market-forecasts"]
    by_words = address.read_filters(chart, {"market": ["Artificial intelligence"]})
    assert by_words == address.read_filters(chart, {"market": ["artificial_intelligence"]})
    assert list(address.chosen_words(by_words)) == [("Market", "Artificial intelligence")]


def test_all_that_is_wrong_is_told_at_once(opened: Warehouse) -> None:
    asked = {
        "publisher": ["IDC", "No such firm"],
        "colour": ["red"],
        "published": ["2023"],
        "repeats": ["perhaps"],
        "scale": ["log", "linear"],
    }
    with pytest.raises(address.FilterError) as caught:
        address.read_filters(REGISTRY["market-forecasts"], asked)
    assert [name for name, _ in caught.value.problems] == list(asked)
    said = str(caught.value)
    assert "'publisher' cannot be 'No such firm'; it takes '360iResearch', " in said
    assert "There is no filter 'colour'; it has market, publisher, " in said
    assert "'published' cannot be '2023'; it takes two years from " in said
    assert "'repeats' cannot be 'perhaps'; it takes true or false." in said


def test_a_chart_that_does_not_exist_is_told() -> None:
    with pytest.raises(address.UnknownChartError, match=r"There is no chart '\.\./etc/passwd'"):
        address.find_chart("../etc/passwd")


@given(asked=st.dictionaries(st.sampled_from(["market", "publisher", "x"]), st.lists(st.text(), max_size=3)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_asked_for_is_taken_or_refused_in_words(
    opened: Warehouse, asked: dict[str, list[str]]
) -> None:
    with suppress(address.FilterError):
        taken = address.read_filters(REGISTRY["market-forecasts"], asked)
        assert "x" not in asked
        assert set(taken.model_dump()["publisher"]) <= set(asked.get("publisher", []))


@pytest.mark.parametrize(
    ("configured", "seen", "expected"),
    [
        (None, None, "http://localhost:8501/"),
        (None, "http://127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("https://atlas.example/genai", "http://127.0.0.1:9000", "https://atlas.example/genai/"),
    ],
)
def test_the_address_of_the_dashboard_is_the_configured_one_first(
    configured: str | None, seen: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI_ATLAS_PUBLIC_URL", configured or "")
    assert address.root(seen) == expected
