"""Settings come from the environment, and from the options before it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from etl.cli import settings_for
from etl.errors import AtlasError
from etl.settings import Settings, duration


def test_the_environment_names_home_and_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GENAI_ATLAS_KEEP_BUILDS", "3")
    found = Settings()
    assert (found.home, found.data, found.keep_builds) == (tmp_path / "home", tmp_path / "data", 3)


def test_an_option_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "home"))
    assert settings_for(home=tmp_path / "other").home == tmp_path / "other"
    assert settings_for().home == tmp_path / "home"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_KEEP_BUILDS", "")
    assert Settings().keep_builds == 5


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_at_least_one_build_is_kept(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_KEEP_BUILDS", value)
    with pytest.raises(AtlasError, match=f"GENAI_ATLAS_KEEP_BUILDS is '{value}': "):
        settings_for()


@pytest.mark.parametrize(
    ("text", "meant"),
    [("30m", timedelta(minutes=30)), ("24h", timedelta(days=1)), (" 7d ", timedelta(days=7))],
)
def test_a_time_span_is_written_as_people_do(text: str, meant: timedelta) -> None:
    assert duration(text) == meant


@pytest.mark.parametrize("text", ["", "24", "0h", "-1d", "1.5h", "1w", "24 hours", "P1D"])
def test_what_is_no_time_span_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="write 30m, 24h or 7d"):
        duration(text)
    if text:
        monkeypatch.setenv("GENAI_ATLAS_REFRESH_EVERY", text)
        with pytest.raises(AtlasError, match="GENAI_ATLAS_REFRESH_EVERY is "):
            settings_for()
