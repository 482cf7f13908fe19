"""Pages as they are sent to the browser: complete, without exception, and deaf to nonsense in the address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import theme
from dashboard.chart import REGISTRY
from dashboard.pages import PAGES, Page
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import figures, texts

RunPage = Callable[..., AppTest]


def titles(app: AppTest) -> list[str]:
    """The titles of the cards: every heading but that of the links at the end."""
    return [heading.value for heading in app.subheader if heading.value != "Read on"]


@pytest.mark.parametrize("page", PAGES, ids=[page.path for page in PAGES])
def test_every_page_renders(run_page: RunPage, page: Page) -> None:
    app = run_page(page.script)
    assert not app.exception
    assert not re.search(r"\b(nan|NaT)\b", texts(app))
    assert not app.error
    assert len(app.title) == 1
    assert app.title[0].value.endswith("?")
    assert re.search(r"Built \d{1,2} \w+ \d{4}, \d\d:\d\d UTC", texts(app))


def test_the_overview_shows_six_figures_each_beside_its_source(run_page: RunPage, opened: Warehouse) -> None:
    app = run_page()
    assert [metric.value for metric in app.metric] == [
        "$1 tn",
        "44.20%",
        "944,000",
        "151,000",
        "6,020",
        "16,520",
    ]
    said = texts(app)
    for row in opened.query("SELECT publisher, url FROM headline_figure").itertuples():
        assert f"]({row.url})" in said
        assert str(row.publisher) in said


def test_the_overview_names_the_spread_of_the_others(run_page: RunPage, opened: Warehouse) -> None:
    low, high = opened.query(
        "SELECT min(value), max(value) FROM headline_other WHERE headline_id = 'market-2034'"
    ).iloc[0]
    assert f"between {theme.usd_bn(low)} and {theme.usd_bn(high)}" in texts(run_page()).replace("\\", "")


def test_title_and_headline_figures_come_before_the_first_chart(run_page: RunPage) -> None:
    """What is first in the page is first in the browser."""
    app = run_page()
    kinds = [element.type for element in app.main]
    assert kinds.index("title") < kinds.index("metric") < kinds.index("plotly_chart")


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({}, {"market-forecasts", "market-size-by-year", "market-growth-rates", "market-arithmetic"}),
        ({"more": "true"}, {chart.id for chart in REGISTRY.values() if chart.topic == "market"}),
    ],
)
def test_the_market_page_shows_its_charts(
    run_page: RunPage, parameters: dict[str, str], shown: set[str]
) -> None:
    app = run_page("market.py", **parameters)
    known = {REGISTRY[chart_id].title for chart_id in shown}
    assert known <= set(titles(app))
    assert len(figures(app)) == len(titles(app)) == (10 if parameters else 6)


def test_every_chart_has_words_for_those_who_do_not_see_it(run_page: RunPage, opened: Warehouse) -> None:
    app = run_page("market.py", more="true")
    by_title = {chart.title: chart for chart in REGISTRY.values()}
    for title, figure in zip(titles(app), figures(app), strict=True):
        chart = by_title[title]
        frame = opened.query(*chart.query(chart.filters()))
        assert figure.alt == f"{title}. {chart.summary(frame, chart.filters())}"


def test_every_chart_has_its_sources_under_it(run_page: RunPage, opened: Warehouse) -> None:
    app = run_page("market.py")
    lines = [caption.value for caption in app.caption if caption.value.startswith("Source: ")]
    assert len(lines) == len(figures(app))
    chart = REGISTRY["market-forecasts"]
    sources = opened.sources_of(opened.query(*chart.query(chart.filters())))
    more = sources["publisher"].nunique() - 3
    assert lines[0].endswith(f" and {more} more")


def test_a_picture_has_a_name_of_its_own(run_page: RunPage, opened: Warehouse) -> None:
    names = [json.loads(figure.config)["toImageButtonOptions"]["filename"] for figure in figures(run_page())]
    assert names == [
        f"genai-atlas-market-forecasts-{opened.build_id}",
        f"genai-atlas-market-arithmetic-{opened.build_id}",
        f"genai-atlas-investment-by-year-{opened.build_id}",
    ]


def test_a_filter_of_the_page_moves_its_charts(run_page: RunPage) -> None:
    app = run_page("market.py")
    before = texts(app)
    app.selectbox(key="market").select("artificial_intelligence").run()
    assert not app.exception
    assert texts(app) != before
    app.button(key="reset-market").click().run()
    assert texts(app) == before


def test_a_filter_of_a_card_moves_its_chart(run_page: RunPage) -> None:
    app = run_page("market.py")
    app.number_input(key="year").set_value(2032).run()
    assert not app.exception
    assert "For 2032, " in texts(app)


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("market", "nonsense", "Market"),
        ("publisher", "Nobody", "Publisher"),
        ("attribution", "hearsay", "Attribution"),
        ("published", ["1066", "1492"], "Published"),
        ("target", "soon", "Target year"),
        ("repeats", "maybe", "Include repeats"),
        ("scale", "cubic", "Scale"),
        ("highlight", ["IDC", "Nobody"], "Highlight"),
        ("year", "MMXXX", "Year"),
        ("base", "-4", "Your base in 2025 (US$ bn)"),
        ("growth", "9999", "Your growth (% a year)"),
        ("horizon", "2030.5", "Your horizon"),
        ("house", "Nobody", "Publisher"),
        ("funding", "lottery", "What is counted"),
        ("place", "Atlantis", "Place"),
    ],
)
def test_nonsense_in_the_address_is_told_and_ignored(
    run_page: RunPage, name: str, value: str | list[str], label: str
) -> None:
    app = run_page("market.py", more="true", **{name: value})
    assert not app.exception
    assert not app.error
    (note,) = [info.value for info in app.info if "does not exist here" in info.value]
    assert f"under “{label}”" in note
    assert "IDC" not in note
    assert len(figures(app)) == 10


def test_unknown_parameters_of_others_are_left_alone(run_page: RunPage) -> None:
    app = run_page("market.py", utm_source="letter", more="perhaps")
    assert not app.exception
    assert not app.info


def test_a_choice_without_figures_says_what_to_relax_and_does_it(run_page: RunPage) -> None:
    app = run_page("market.py", market="AI coding tools", publisher="IDC")
    assert not app.exception
    notes = [info.value for info in app.info]
    assert "No published figure matches this choice. Relax “Market” or “Publisher”." in notes
    app.button(key="relax-market-forecasts").click().run()
    assert not app.info
    assert app.selectbox(key="market").value == "generative_ai"
    assert app.multiselect(key="publisher").value == []


def test_the_table_twin_has_the_rows_of_the_chart(run_page: RunPage, opened: Warehouse) -> None:
    app = run_page("market.py")
    app.button(key="switch-market-forecasts").click().run()
    chart = REGISTRY["market-forecasts"]
    frame = opened.query(*chart.query(chart.filters()))
    (table,) = app.dataframe
    assert list(table.value.columns) == list(chart.columns.values())
    assert len(table.value) == len(frame)
    columns = json.loads(table.proto.columns)
    assert all(columns[name]["type_config"]["format"] == "%d" for name in ("Base year", "Target year"))
    assert table.proto.placeholder == ""
    assert set(table.value["How it was read"]) <= set(theme.ATTRIBUTIONS.values())


def test_the_source_page_searches_and_opens_a_source(run_page: RunPage, opened: Warehouse) -> None:
    source_id = opened.query("SELECT source_id FROM source_card WHERE publisher = 'IDC' ORDER BY ALL").iloc[
        0, 0
    ]
    app = run_page("sources.py")
    assert len(app.dataframe[0].value) == opened.query("SELECT count(*) FROM source_card").iloc[0, 0]
    behind = "SELECT count(DISTINCT source_id) AS sources, count(*) AS claims FROM claim"
    sources, claims = opened.query(behind).iloc[0]
    assert f"{sources:,} publications stand behind {claims:,} claims" in texts(app)
    app.text_input(key="find").set_value("idc").run()
    assert 0 < len(app.dataframe[0].value) < 100
    app.selectbox(key="source").select(source_id).run()
    claims = opened.query("SELECT count(*) FROM claim WHERE source_id = $id", {"id": source_id}).iloc[0, 0]
    assert len(app.dataframe[1].value) == claims
    app.text_input(key="find").set_value("no such publisher").run()
    assert "No source matches" in texts(app)
    assert len(app.dataframe) == 1


def test_a_source_that_is_not_there_is_told(run_page: RunPage) -> None:
    app = run_page("sources.py", source="nobody-2099", topic="astrology")
    assert not app.exception
    assert len([info for info in app.info if "does not exist here" in info.value]) == 2
