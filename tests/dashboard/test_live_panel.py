"""What pages say of live sources: the last refresh, what it changed, what was held, what is overdue."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stamina
from streamlit.testing.v1 import AppTest

from dashboard.live_panel import built_at
from dashboard.refreshing import REFRESHER, UnderWay
from dashboard.warehouse import warehouse
from etl.build import build
from etl.ledger import Ledger, moment
from etl.refresh import choose
from etl.settings import Settings
from etl.warehouse import Home
from tests.dashboard.conftest import app_page, texts
from tests.dashboard.live_home import edition, refreshed
from tests.etl.package_copy import PackageCopy
from tests.etl.replay import Replay, replay

YEARS = range(2010, 2017)


@pytest.fixture(scope="module")
def server() -> Iterator[Replay]:
    with replay() as server, stamina.set_testing(True, attempts=1, cap=True):
        yield server


@pytest.fixture(scope="module")
def plain(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a build of a small package. Made once: copy it, never change it."""
    found = small_data.settings(tmp_path_factory.mktemp("plain") / "home")
    build(found)
    return found


@pytest.fixture(scope="module")
def twice(plain: Settings, server: Replay, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same after two refreshes, 45 days and 3 hours ago: 1 figure added, 6 changed, 1 withdrawn."""
    home = tmp_path_factory.mktemp("twice") / "home"
    shutil.copytree(plain.home, home)
    found = plain.model_copy(update={"home": home})
    refreshed(found, server, edition(*YEARS), age=timedelta(days=45))
    later = range(YEARS.start + 1, YEARS.stop + 1)
    refreshed(found, server, edition(*later, factor=1.1), age=timedelta(hours=3))
    return found


def served(original: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of a home, as the one that the app's settings name."""
    shutil.copytree(original.home, tmp_path / "served")
    found = original.model_copy(update={"home": tmp_path / "served"})
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(found.home))
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(found.data))
    return found


@pytest.fixture
def settings(plain: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home that was never refreshed."""
    return served(plain, tmp_path, monkeypatch)


@pytest.fixture
def live(twice: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home that was refreshed twice."""
    return served(twice, tmp_path, monkeypatch)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_DEMO", "1")


def links(app: AppTest) -> list[str]:
    """The labels of the links to pages."""
    return [str(each.proto.label) for each in app.get("page_link")]


def frame(app: AppTest, column: str) -> Any:
    """The first table with this column."""
    return next(each.value for each in app.dataframe if column in each.value)


def test_before_any_refresh_nothing_is_said_of_one(settings: Settings) -> None:
    assert not [label for label in links(app_page()) if label.startswith("Refreshed")]
    app = app_page("data.py", section="Freshness")
    assert "No live source was ever asked" in texts(app)
    row = frame(app, "Rhythm").set_index("Source").loc["AI Tracker"]
    assert (row["Rhythm"], row["State"], row["Last result"]) == ("Monthly", "Never read", "Never asked")


def test_overview_tells_in_one_line_what_the_last_refresh_changed(live: Settings, demo: None) -> None:
    told = next(label for label in links(app_page()) if label.startswith("Refreshed"))
    assert told == "Refreshed 3 hours ago: 1 figure added, 6 changed, 1 withdrawn, from 1 source"


def test_the_line_leads_to_the_changes_of_that_refresh_whatever_was_built_since(
    live: Settings, demo: None
) -> None:
    made, before, *_ = Home(live.home).builds()
    with Home(live.home).writing():
        later = Home(live.home).folder / made.path.name.replace(made.stamp, "20990101T000000000Z")
        shutil.copy(made.path, later)
        (live.home / "CURRENT").write_text(later.name)
    (link,) = [each.proto for each in app_page().get("page_link") if each.proto.label.startswith("Refreshed")]
    asked = dict(parse_qsl(link.query_string))
    assert asked == {"section": "Changes", "new": built_at(made), "old": built_at(before)}
    app = app_page("data.py", **asked)
    assert "**1** added, **1** withdrawn, **6** changed claims." in texts(app)


def test_a_refresh_that_found_nothing_new_says_so(live: Settings, server: Replay, demo: None) -> None:
    later = range(YEARS.start + 1, YEARS.stop + 1)
    refreshed(live, server, edition(*later, factor=1.1))
    assert "Refreshed a moment ago: no figure changed" in links(app_page())


def test_who_did_not_answer_is_counted_in_the_line(live: Settings, server: Replay, demo: None) -> None:
    later = range(YEARS.start + 1, YEARS.stop + 1)
    refreshed(live, server, edition(*later, factor=1.1), in_vain=["epoch"])
    assert "Refreshed a moment ago: no figure changed; 1 of 2 sources did not answer" in links(app_page())


def test_after_a_rollback_the_line_is_gone(live: Settings, demo: None) -> None:
    Home(live.home).rollback()
    assert not [label for label in links(app_page()) if label.startswith("Refreshed")]


def test_changes_are_told_by_source_and_metric(live: Settings, demo: None) -> None:
    app = app_page("data.py", section="Changes")
    (row,) = frame(app, "Metric").to_dict("records")
    assert row == {
        "Source": "Indeed Hiring Lab: AI Tracker",
        "Metric": "AI share of job postings",
        "Added": 1,
        "Withdrawn": 1,
        "Changed": 6,
    }
    claims = frame(app, "By")
    assert claims["By"].dropna().round(6).tolist() == [10.0] * 6
    assert set(claims["Source"]) == {"Indeed Hiring Lab: AI Tracker"}


def test_a_held_build_is_told_with_its_reasons_until_one_is_published(
    live: Settings, server: Replay, demo: None
) -> None:
    before = warehouse().build_id
    later = range(YEARS.start + 1, YEARS.stop + 1)
    reason, *_ = refreshed(live, server, edition(*later, factor=9.9), accept=False).held
    for section in ("Changes", "Freshness"):
        notices = [each for each in app_page("data.py", section=section).warning if reason in each.value]
        assert len(notices) == 1
    assert warehouse().build_id == before
    assert [label for label in links(app_page()) if label.startswith("Refreshed 3 hours ago: 1 figure")]
    build(live, accept=True)
    assert "Refreshed a moment ago: 7 figures changed, from 1 source" in links(app_page())
    app = app_page("data.py", section="Changes")
    assert not [each for each in app.warning if reason in each.value]


def test_a_source_that_fails_is_named_and_its_reason_stands_in_the_table(
    live: Settings, server: Replay, demo: None
) -> None:
    refreshed(live, server, "<html>sorry</html>")
    # Nobody answered, so nothing is said of it beside the figures.
    assert [label for label in links(app_page()) if label.startswith("Refreshed 3 hours ago: 1 figure")]
    app = app_page("data.py", section="Freshness")
    assert "Without success: Indeed Hiring Lab" in texts(app)
    row = frame(app, "Rhythm").set_index("Source").loc["AI Tracker"]
    assert (row["State"], row["Last result"]) == ("Up to date", "Failed")
    assert row["Why"]


def test_figures_that_were_not_read_for_too_long_are_overdue(live: Settings, demo: None) -> None:
    with Ledger(live.home).opened() as ledger:
        ledger.write("UPDATE source_run SET ended = ?", moment(datetime.now(UTC) - timedelta(days=45)))
    row = frame(app_page("data.py", section="Freshness"), "Rhythm").set_index("Source").loc["AI Tracker"]
    assert row["State"] == "Overdue"
    table = frame(app_page("sources.py", find="Indeed"), "Age").set_index("Address")
    told = table.loc["https://github.com/hiring-lab/ai-tracker"]
    assert (told["Rhythm"], told["Age"]) == ("Monthly", "Overdue: read 45 days ago")


def test_readers_may_not_refresh_unless_it_is_allowed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered() -> list[str]:
        app = app_page("data.py", section="Freshness")
        return [button.label for button in app.button]

    assert "Refresh now" not in offered()
    monkeypatch.setenv("GENAI_ATLAS_ALLOW_REFRESH", "1")
    assert "Refresh now" in offered()


def test_a_failure_that_left_no_report_is_told_in_one_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REFRESHER, "failure", "The refresh broke off (out of memory).")
    (error,) = app_page("data.py", section="Freshness").error
    assert error.value == "The refresh broke off (out of memory)."


def test_the_end_of_a_refresh_is_not_told_as_its_beginning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing, asking = UnderWay((), 0, 0), UnderWay((("A source", 1, 2),), 1, 0)
    stages = [nothing, asking, nothing]
    monkeypatch.setattr(REFRESHER, "is_running", lambda _: True)
    monkeypatch.setattr("dashboard.live_panel.under_way", lambda _: stages[0])
    app = app_page("data.py", section="Freshness")
    told = []
    while stages:
        told.append([bar.proto.text for bar in app.run().get("progress")])
        stages.pop(0)
    assert told == [["Starting"], ["1 of 2 sources asked", "A source: 1 of 2 requests"], ["Finishing"]]


def test_the_next_run_of_a_schedule_is_told(live: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_REFRESH_EVERY", "7d")
    assert "The next one starts in a moment." in texts(app_page("data.py", section="Freshness"))
    with Ledger(live.home).opened() as ledger:
        whole = json.dumps({"sources": [each.name for each in choose(())]})
        ended = moment(datetime.now(UTC) - timedelta(days=3))
        ledger.write("UPDATE run SET options = ?, ended = ?", whole, ended)
    assert "The next one starts in 4 days." in texts(app_page("data.py", section="Freshness"))


# --- builds with figures of a test server -----------------------------------------------------------------


def test_a_build_with_invented_figures_is_refused_and_the_last_good_one_served(live: Settings) -> None:
    app = app_page("data.py", section="Changes")
    assert not app.exception
    (warning,) = app.warning
    assert "holds figures of a test server" in warning.value
    assert warehouse().build_id == Home(live.home).builds()[-1].build_id
    assert "only one build" in texts(app)


def test_with_no_other_build_the_shipped_figures_are_served(live: Settings) -> None:
    Home(live.home).builds()[-1].path.unlink()
    opened = warehouse()
    assert not opened.is_demo
    assert "temporary folder" in str(opened.notice)
    assert opened.query("SELECT count(*) AS n FROM live_observation")["n"].sum() == 0


@pytest.mark.parametrize("script", ["", "market.py", "data.py"])
def test_a_demonstration_says_on_every_page_what_it_is(script: str, live: Settings, demo: None) -> None:
    (banner,) = app_page(script).warning
    assert "come from a test server" in banner.value
    assert warehouse().build_id == Home(live.home).builds()[0].build_id
