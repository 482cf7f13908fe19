"""Permanent links: the chart as it was, and what has changed since in its very rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard import address, warehouse
from dashboard.api import api
from dashboard.chart import REGISTRY
from dashboard.pages import PAGES
from dashboard.previews import preview
from dashboard.warehouse import EarlierBuildError, UnknownBuildError, Warehouse, current, kept, reading
from etl.build import build
from etl.settings import Settings
from etl.warehouse import Build, Home, built_at
from tests.dashboard.conftest import app_page, figures, texts
from tests.dashboard.http_client import Client
from tests.etl.package_copy import PackageCopy, copied

FORECASTS = "market/forecasts.csv"
CHART = REGISTRY["market-forecasts"]
MARKET = next(page for page in PAGES if page.path == "market")


@dataclass(frozen=True)
class Two:
    """Two builds: one value was changed, one claim was added, one withdrawn."""

    home: Home
    old: Build
    new: Build
    before: dict[str, str]


@pytest.fixture(scope="module")
def made(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Made once: read it, never change it."""
    package = copied(small_data, tmp_path_factory.mktemp("two") / "data")
    settings = Settings(home=package.folder.parent / "home", data=package.folder)
    withdrawn = package.forecast("MF997", forecast_year="2030", forecast_value_usd_bn="10")
    changed = package.forecast("MF996", forecast_year="2030", forecast_value_usd_bn="11")
    old = build(settings).build
    before = package.edit(FORECASTS, changed, forecast_value_usd_bn="12.5", forecast_year="2031")
    rows = package.rows(FORECASTS)
    del rows[withdrawn - 2]
    package.write(FORECASTS, rows)
    package.forecast("MF998", forecast_year="2031", forecast_value_usd_bn="20")
    return Two(Home(settings.home), old, build(settings).build, before)


@pytest.fixture
def two(made: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """A copy of this test alone."""
    home = Home(tmp_path / "two")
    shutil.copytree(made.home.path, home.path)
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(home.path))
    yield Two(home, home.find(made.old.build_id), home.find(made.new.build_id), made.before)
    warehouse._earlier.clear()


def link(two: Two, **asked: Any) -> dict[str, Any]:
    """The parameters of a permanent link that was made with the old build."""
    query = urlsplit(address.link(CHART, CHART.filters(**asked), two.old.build_id)).query
    return dict(parse_qs(query, keep_blank_values=True))


def test_a_permanent_link_names_chart_and_build(two: Two) -> None:
    assert link(two, repeats=True) == {
        "repeats": ["true"],
        "chart": ["market-forecasts"],
        "build": [two.old.build_id],
    }


# --- the page -------------------------------------------------------------------------------------


def test_a_link_opened_later_shows_the_chart_as_it_is_and_what_changed(two: Two) -> None:
    app = app_page("market.py", **link(two))
    assert not app.exception
    said = texts(app)
    assert "This link was made with the build of " in said
    assert "In the rows of this chart since: 1 added, 1 withdrawn, 1 changed." in said
    told = next(frame.value for frame in app.dataframe if "What changed" in frame.value)
    assert sorted(told["What changed"]) == [
        "Target year: 2030 → 2031; Target (US$ bn): 11 → 12.5",
        "added",
        "withdrawn",
    ]
    assert current().build_id == two.new.build_id


def test_a_link_opened_later_shows_the_chart_as_it_was(two: Two) -> None:
    app = app_page("market.py", **link(two), as_of="As it was")
    assert not app.exception
    drawn, *others = [figure.spec for figure in figures(app)]
    assert "MF997" in drawn
    assert "MF998" not in drawn
    assert not any("MF997" in spec for spec in others)
    assert any("MF998" in spec for spec in others)
    opened = kept(two.old.build_id)
    with reading(opened):
        sentence = CHART.summary(opened.query(*CHART.query(CHART.filters())), CHART.filters())
    assert sentence in texts(app).replace("\\", "")


def test_a_reader_can_leave_the_earlier_build(two: Two) -> None:
    app = app_page("market.py", **link(two))
    app.button(key="forget-earlier").click().run()
    assert "This link was made" not in texts(app)
    assert "build" not in app.query_params


@pytest.mark.parametrize("asked", ["current", "hash"])
def test_a_link_to_the_current_build_says_nothing(two: Two, asked: str) -> None:
    build_id = two.new.build_id if asked == "current" else two.new.content_hash
    app = app_page("market.py", chart=CHART.id, build=build_id)
    assert "This link was made" not in texts(app)


def test_a_link_to_a_build_that_is_gone_says_so(two: Two) -> None:
    two.old.path.unlink()
    app = app_page("market.py", **link(two), as_of="As it was")
    assert not app.exception
    assert "which is no longer kept. The chart is as of " in texts(app)


def test_a_link_to_a_build_that_cannot_be_drawn_says_so(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise EarlierBuildError("no such table")

    monkeypatch.setattr("dashboard.earlier.changes_of", refuse)
    assert "another version of the program" in texts(app_page("market.py", **link(two)))


def test_nonsense_in_the_address_is_told_and_shown_as_text(two: Two) -> None:
    app = app_page("market.py", chart=CHART.id, build="<b>`../../etc/passwd`")
    assert not app.exception
    assert "names a build that does not exist, `<b>../../etc/passwd`" in texts(app)


# --- the API --------------------------------------------------------------------------------------


def test_the_api_tells_what_changed_in_these_very_rows(two: Two) -> None:
    client = Client(api)
    said = client.get(f"/api/v1/charts/{CHART.id}/changes?build={two.old.build_id}").json()
    assert (said["old"], said["new"]) == (two.old.build_id, two.new.build_id)
    assert (said["added"], said["withdrawn"], said["changed"]) == (1, 1, 1)
    by_kind = {change["kind"]: change for change in said["changes"]}
    assert by_kind["added"]["claim_id"] == "MF998"
    assert by_kind["added"]["old"] is None
    assert by_kind["withdrawn"]["claim_id"] == "MF997"
    assert by_kind["withdrawn"]["new"] is None
    changed = by_kind["changed"]
    assert changed["columns"] == ["forecast_year", "forecast_value_usd_bn"]
    assert changed["old"]["forecast_value_usd_bn"] == float(two.before["forecast_value_usd_bn"])
    assert changed["new"]["forecast_value_usd_bn"] == 12.5

    narrowed = f"/api/v1/charts/{CHART.id}/changes?build={two.old.content_hash}&target=2031&target=2031"
    changes = client.get(narrowed).json()["changes"]
    assert {each["claim_id"]: each["kind"] for each in changes} == {"MF996": "added", "MF998": "added"}
    same = client.get(f"/api/v1/charts/{CHART.id}/changes?build={two.new.build_id}").json()
    assert same["changes"] == []


def test_an_earlier_build_answers_as_it_was(two: Two) -> None:
    client = Client(api)
    for path in (f"/api/v1/charts/{CHART.id}.json?", "/api/v1/forecasts?limit=1000&"):
        answer = client.get(f"{path}build={two.old.build_id}")
        text = answer.text
        assert "MF997" in text
        assert "MF998" not in text
        assert two.new.build_id not in text
        assert answer.headers["cache-control"] == "public, max-age=86400"
        assert client.get(f"{path}build={two.old.content_hash}").headers["x-atlas-build"] == two.old.build_id
        assert "MF998" in client.get(path).text


def test_a_build_of_another_version_is_told(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = kept(two.old.build_id)
    with pytest.raises(EarlierBuildError, match="another version of the program"):
        opened.query("SELECT * FROM a_table_of_tomorrow")
    monkeypatch.setattr(
        "dashboard.api.charts.select", lambda *_: opened.query("SELECT tomorrow FROM forecast_path")
    )
    answer = Client(api).get(f"/api/v1/charts/{CHART.id}.json?build={two.old.build_id}")
    assert answer.status_code == 410
    assert answer.json()["type"].endswith("#unreadable-build")


def test_a_damaged_build_is_told(two: Two) -> None:
    two.old.path.write_bytes(two.old.path.read_bytes()[:5000])
    answer = Client(api).get(f"/api/v1/charts/{CHART.id}.json?build={two.old.build_id}")
    assert answer.status_code == 410
    assert "cannot be" in answer.json()["detail"]


# --- the warehouse --------------------------------------------------------------------------------


def test_only_so_many_earlier_builds_stay_open(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "MAX_EARLIER_OPEN", 0)
    opened = kept(two.old.build_id)
    assert not warehouse._earlier
    assert len(opened.query("SELECT * FROM forecast_path"))


def test_within_reading_all_questions_go_to_that_build(two: Two) -> None:
    count = "SELECT count(*) FILTER (claim_id = 'MF997') AS old FROM forecast_path"
    with reading(kept(two.old.build_id)):
        assert warehouse.ask(count)["old"].item() == 1
    assert warehouse.ask(count)["old"].item() == 0


@pytest.mark.parametrize("name", ["", "nonsense", "../CURRENT", "20261125T214227271Z-000000000000"])
def test_what_is_no_build_is_refused(two: Two, name: str) -> None:
    with pytest.raises(UnknownBuildError, match="is not kept here"):
        kept(name)


def test_an_id_tells_when_its_build_was_made(two: Two) -> None:
    assert built_at(two.old.build_id) == two.old.built_at
    assert built_at("20269999T214227271Z-000000000000") is None
    assert built_at("nonsense") is None


# --- previews -------------------------------------------------------------------------------------

ROOT = "https://atlas.example/"


def test_a_link_to_a_chart_previews_that_chart(opened: Warehouse) -> None:
    query = f"chart=market-forecasts&build={opened.build_id}&publisher=IDC"
    shown = preview(MARKET, query, ROOT)
    filters = CHART.filters(publisher=["IDC"])
    assert shown.title == CHART.title
    assert shown.about == CHART.summary(opened.query(*CHART.query(filters)), filters)
    assert shown.picture == (
        f"{ROOT}api/v1/charts/market-forecasts.png?publisher=IDC&picture_size=slide&build={opened.build_id}"
    )
    head = shown.head()
    assert f'<meta property="og:title" content="{CHART.title} · GenAI Atlas">' in head
    assert '<meta property="og:image" content="https://atlas.example/api/' in head
    assert '<meta name="twitter:card" content="summary_large_image">' in head
    answer = Client(api).get(shown.picture.removeprefix(ROOT[:-1]))
    assert answer.headers["content-type"] == "image/png"


def test_a_preview_shows_the_chart_as_it_was(two: Two) -> None:
    shown = preview(MARKET, f"chart=market-forecasts&build={two.old.build_id}", ROOT)
    assert f"build={two.old.build_id}" in str(shown.picture)
    two.old.path.unlink()
    shown = preview(MARKET, f"chart=market-forecasts&build={two.old.build_id}", ROOT)
    assert f"build={two.new.build_id}" in str(shown.picture)


@pytest.mark.parametrize("query", ["", "chart=nonsense", "chart=hub-map", "chart=", "publisher=IDC"])
def test_any_other_link_previews_its_page(opened: Warehouse, query: str) -> None:
    shown = preview(MARKET, query, ROOT)
    assert (shown.title, shown.about, shown.picture) == (MARKET.title, MARKET.about, None)


def test_bad_filters_and_no_browser_are_no_obstacle(
    opened: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI_ATLAS_BROWSER", "no-such-browser")
    shown = preview(MARKET, "chart=market-forecasts&publisher=Nobody&utm_source=letter", ROOT)
    assert shown.title == CHART.title
    assert shown.picture is None


def test_a_preview_is_no_markup() -> None:
    from dashboard.previews import Preview

    head = Preview('"><script>', "<b>", 'x"onload="').head()
    assert "<script>" not in head
    assert "<b>" not in head
    assert 'x"' not in head
