"""Charts whose figures come with a refresh only: what they draw of them, and what stands there until then."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.chart import REGISTRY
from dashboard.warehouse import Warehouse
from etl.build import build
from tests.conftest import SHIPPED
from tests.dashboard.conftest import extremes, texts
from tests.dashboard.test_charts import check
from tests.etl.package_copy import PackageCopy, copied

POSTS, WORKS = "hiring-posts", "research-works"
WAITING = {chart.id: chart for chart in REGISTRY.values() if chart.needs_refresh}
# metric, place, part, period, value, unit, status, note
FIGURES = (
    (
        "hiring_post_share",
        "world",
        "AI agents",
        "1999-10",
        "11",
        "percent",
        "actual",
        r"11 of 100 posts match a",
    ),
    (
        "hiring_post_share",
        "world",
        "AI agents",
        "1999-11",
        "22",
        "percent",
        "actual",
        r"22 of 100 posts match a",
    ),
    (
        "hiring_post_share",
        "world",
        "LLMs",
        "1999-11",
        "33.3",
        "percent",
        "actual",
        r"33 of 99 posts match \bllm",
    ),
    (
        "hiring_post_share",
        "world",
        "LLMs",
        "1999-12",
        "55",
        "percent",
        "partial",
        r"55 of 100 posts match \bllm",
    ),
    ("genai_publications", "world", "", "1998", "1110", "papers", "actual", ""),
    ("genai_publications", "world", "", "1999", "2220", "papers", "actual", ""),
    ("genai_publications", "USA", "", "1999", "1110", "papers", "actual", ""),
    ("genai_publications", "USA", "", "2000", "55", "papers", "partial", ""),
    ("genai_publications", "FRA", "", "1999", "222", "papers", "actual", ""),
    ("ai_publications", "FRA", "", "1999", "333", "papers", "actual", ""),
)


@pytest.fixture(scope="module")
def refreshed(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A build with figures of the metrics that only live sources have."""
    folder = tmp_path_factory.mktemp("live-charts")
    package = copied(small_data, folder / "data")
    for file, key, wanted in (
        ("metrics.csv", "metric_id", {figure[0] for figure in FIGURES}),
        ("units.csv", "unit_id", {figure[5] for figure in FIGURES}),
        ("entities.csv", "entity_id", {figure[1] for figure in FIGURES}),
    ):
        known = {row[key] for row in package.rows(file)}
        with (SHIPPED / file).open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                if row[key] in wanted - known:
                    package.add(file, **row)
    source_id = package.rows("workforce/workforce.csv")[0]["source_id"]
    for number, (metric, place, part, period, value, unit, status, note) in enumerate(FIGURES):
        package.add(
            "workforce/workforce.csv",
            claim_id=f"XX{number:05}",
            source_id=source_id,
            attribution="primary",
            metric_id=metric,
            entity_id=place,
            segment=part,
            period=period,
            value=value,
            unit_id=unit,
            status=status,
            note=note,
        )
    settings = package.settings(folder / "home")
    build(settings)
    return Warehouse(settings)


@pytest.mark.parametrize("chart_id", WAITING)
def test_a_chart_draws_what_a_refresh_brought(
    chart_id: str, refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.warehouse._opened", refreshed)
    chart = WAITING[chart_id]
    frames = [check(refreshed, chart, filters) for filters in extremes(chart)]
    assert not frames[0].empty
    drawn = {
        entry[0] for trace in chart.draw(frames[0], chart.filters()).data for entry in trace.customdata or ()
    }
    assert drawn == set(frames[0]["claim_id"])


def test_posts_are_told_of_the_newest_month_that_is_over(refreshed: Warehouse) -> None:
    chart = WAITING[POSTS]
    frame = refreshed.query(*chart.query(chart.filters()))
    said = chart.summary(frame, chart.filters())
    assert said.startswith("November 1999: 33.3% of the hiring posts on ")
    assert said.endswith(" name LLMs; then AI agents, 22%.")
    marks = {
        entry[1].split("<br>")[1]: symbol
        for trace in chart.draw(frame, chart.filters()).data
        for entry, symbol in zip(trace.customdata, trace.marker.symbol, strict=True)
    }
    assert marks["LLMs, December 1999, so far: 55% (55 of 100 posts)"] == "circle-open"
    assert marks["AI agents, November 1999: 22% (22 of 100 posts)"] == "circle"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            {},
            " in the world, after 1,110 in 1998; 1,110 in the United States, 222 in France.",
        ),
        ({"places": ["FRA"]}, " counts 222 works on generative AI in France."),
        ({"years": (2000, 2000)}, " counts 55 works on generative AI in the United States."),
        ({"works": "ai"}, " counts 333 works on AI in France."),
    ],
)
def test_works_are_told_of_the_newest_year_that_is_over(
    choice: dict[str, object], words: str, refreshed: Warehouse
) -> None:
    chart = WAITING[WORKS]
    filters = chart.filters(**choice)
    said = chart.summary(refreshed.query(*chart.query(filters)), filters)
    assert said.endswith(words)
    assert said.startswith("In 2000 so far " if choice.get("years") else "In 1999 ")


@pytest.mark.parametrize("script", sorted({f"{chart.topic}.py" for chart in WAITING.values()}))
def test_until_then_one_line_stands_in_the_card(run_page: Callable[..., AppTest], script: str) -> None:
    app = run_page(script, more="true")
    here = [chart for chart in WAITING.values() if f"{chart.topic}.py" == script]
    assert not app.exception
    assert {chart.title for chart in here} <= {heading.value for heading in app.subheader}
    assert texts(app).count("No figure yet: they come with a refresh of the live sources.") == len(here)
    assert not [plot for plot in app.get("plotly_chart") for chart in here if chart.title in plot.proto.alt]
