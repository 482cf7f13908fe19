"""It always opens: a rebuild is seen, a damaged build passed over, an empty or closed home is no excuse."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest

from dashboard.warehouse import ask, warehouse
from etl.build import build
from etl.settings import Settings
from etl.warehouse import Home
from tests.dashboard.conftest import app_page, texts
from tests.etl.package_copy import PackageCopy


@pytest.fixture
def own_home(tmp_path: Path, built_home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of this test alone, with the build of the shipped data in it."""
    path = tmp_path / "own"
    shutil.copytree(built_home.path, path)
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(path))
    return Home(path)


def test_a_running_app_sees_a_rebuild(own_home: Home, package_copy: PackageCopy) -> None:
    app = app_page("market.py")
    assert "292 published forecasts" in texts(app)
    count = len(package_copy.rows("market/forecasts.csv"))
    build(package_copy.settings(own_home.path))
    app.run()
    assert not app.exception
    assert f"{count} published forecasts" in texts(app)
    own_home.rollback()
    app.run()
    assert "292 published forecasts" in texts(app)


def test_answers_of_an_earlier_build_are_not_reused(own_home: Home, package_copy: PackageCopy) -> None:
    question = "SELECT count(*) FROM forecast"
    shipped = ask(question).iloc[0, 0]
    build(package_copy.settings(own_home.path))
    assert ask(question).iloc[0, 0] == len(package_copy.rows("market/forecasts.csv")) != shipped


def test_a_query_that_runs_during_a_swap_ends_on_its_build(own_home: Home, package_copy: PackageCopy) -> None:
    old = warehouse()
    build(package_copy.settings(own_home.path))
    new = warehouse()
    assert new.build_id != old.build_id
    count = "SELECT count(*) FROM forecast"
    assert int(old.query(count)["count_star()"].sum()) != int(new.query(count)["count_star()"].sum())


def test_a_damaged_build_is_passed_over_and_the_page_says_so(
    own_home: Home, package_copy: PackageCopy
) -> None:
    newest = build(package_copy.settings(own_home.path)).build
    newest.path.write_bytes(newest.path.read_bytes()[:5000])
    app = app_page()
    assert not app.exception
    (warning,) = app.warning
    assert warning.value.startswith("This is not the latest build: ")
    assert newest.path.name in warning.value.replace("\\", "")
    assert next(metric.value for metric in app.metric) == "$1 tn"


def test_a_build_that_is_deleted_under_a_running_app_is_replaced(
    own_home: Home, package_copy: PackageCopy
) -> None:
    newest = build(package_copy.settings(own_home.path)).build
    app = app_page("market.py")
    assert not app.warning
    newest.path.unlink()
    app.run()
    assert not app.exception
    assert len(app.warning) == 1
    assert "292 published forecasts" in texts(app)


def test_a_home_without_any_build_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "empty"))
    app = app_page("sources.py")
    assert not app.exception
    assert not app.warning
    assert Home(tmp_path / "empty").current() is not None


def test_with_only_damaged_builds_left_a_new_one_is_made(own_home: Home) -> None:
    for made in own_home.builds():
        made.path.write_bytes(b"not a database")
    app = app_page("sources.py")
    assert not app.exception
    assert len(own_home.builds()) == 2


def test_a_home_that_cannot_be_written_is_no_excuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the folder would have to be made: even root cannot."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "file" / "home"))
    app = app_page("sources.py")
    assert not app.exception
    (warning,) = app.warning
    assert "This build lives in a temporary folder." in warning.value
    assert list((tmp_path / "temporary").rglob("build-*.duckdb"))


def test_with_neither_build_nor_sound_data_the_page_says_what_is_wrong(
    tmp_path: Path, package_copy: PackageCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_copy.edit("market/forecasts.csv", 2, source_id="nobody")
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(package_copy.folder))
    app = app_page()
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("There is nothing to show yet: ")
    assert re.search(r"forecasts\.csv, row 2, source_id: .*nobody", texts(app).replace("\\", ""))


def test_settings_are_those_of_the_environment(own_home: Home) -> None:
    assert Settings().home == own_home.path
    assert warehouse().build.path.parent == own_home.folder
