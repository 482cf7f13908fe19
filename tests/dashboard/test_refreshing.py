"""The process that refreshes beside the server: one at a time, told of by the ledger, on schedule."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.cli import app
from dashboard.refreshing import (
    PROGRAM,
    Refresher,
    UnderWay,
    last_run,
    next_run,
    refresh_on_schedule,
    under_way,
)
from etl.ledger import Ledger, moment
from etl.refresh import choose, is_refreshing
from etl.settings import Settings
from etl.warehouse import Home
from tests.dashboard.live_home import PATH, edition
from tests.etl.package_copy import PackageCopy
from tests.etl.replay import Received, Replay, Reply, replay

PATIENCE = 60
DAY = timedelta(days=1)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def settings(tmp_path: Path, small_data: PackageCopy) -> Settings:
    return small_data.settings(tmp_path / "home")


@pytest.fixture
def answer() -> threading.Event:
    """Set, the server answers; before, it lets wait."""
    return threading.Event()


@pytest.fixture
def server(answer: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    def reply(_: Received) -> Reply:
        answer.wait(PATIENCE)
        return Reply(edition(2016))

    with replay() as server:
        monkeypatch.setenv("GENAI_ATLAS_BASE_INDEED", server.address)
        server.on(PATH, reply)
        yield server
        answer.set()


@pytest.fixture
def refresher() -> Iterator[Refresher]:
    found = Refresher((*PROGRAM, "indeed"))
    yield found
    found.stop()


def test_a_refresh_runs_beside_and_a_second_one_does_not_start(
    settings: Settings, server: Replay, answer: threading.Event, refresher: Refresher
) -> None:
    assert not refresher.is_running(settings)
    assert under_way(settings) == UnderWay((), 0, 0)
    assert refresher.start(settings)
    assert not refresher.start(settings)
    wait_until(lambda: bool(server.received))
    assert under_way(settings) == UnderWay((("Indeed Hiring Lab", 0, 1),), 0, 0)
    # Another server over the same home, whose own process it is not.
    assert Refresher().is_running(settings)
    assert not Refresher().start(settings)
    answer.set()
    wait_until(lambda: not refresher.is_running(settings))
    run = last_run(settings)
    assert run is not None
    assert ([each["source"] for each in run.answered], run.silent, run.has_published) == (
        ["indeed"],
        [],
        True,
    )
    assert run.build == Home(settings.home).builds()[0].build_id
    assert refresher.failure is None


def test_it_ends_with_the_server_and_the_next_one_goes_on(
    settings: Settings, server: Replay, answer: threading.Event, refresher: Refresher
) -> None:
    refresher.start(settings)
    wait_until(lambda: bool(server.received))
    refresher.stop()
    assert not refresher.is_running(settings)
    answer.set()
    refresher.start(settings)
    wait_until(lambda: not refresher.is_running(settings))
    assert len(Ledger(settings.home).query("SELECT * FROM run")) == 1
    assert last_run(settings) is not None


def test_what_the_process_says_before_it_has_a_ledger_is_told(
    tmp_path: Path, settings: Settings, refresher: Refresher
) -> None:
    (tmp_path / "file").write_text("in the way")
    refresher.start(settings.model_copy(update={"home": tmp_path / "file" / "home"}))
    wait_until(lambda: refresher.failure is not None)
    assert str(refresher.failure).startswith("Cannot write to ")


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ((sys.executable, "-c", "raise SystemExit('no memory')"), "The refresh broke off (no memory)."),
        (("/no/such/program",), "The refresh could not be started (No such file or directory)."),
    ],
)
def test_a_process_that_breaks_off_is_told(program: tuple[str, ...], told: str, settings: Settings) -> None:
    refresher = Refresher(program)
    assert refresher.start(settings)
    wait_until(lambda: refresher.failure is not None)
    assert refresher.failure == told
    assert not refresher.is_running(settings)


def test_a_failed_source_needs_no_other_words_than_those_of_the_ledger(
    settings: Settings, refresher: Refresher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replay() as silent:
        monkeypatch.setenv("GENAI_ATLAS_BASE_INDEED", silent.address)
        refresher.start(settings)
        wait_until(lambda: not refresher.is_running(settings))
    run = last_run(settings)
    assert run is not None
    assert [each["outcome"] for each in run.silent] == ["failed"]
    assert refresher.failure is None


def test_to_look_makes_nothing(settings: Settings) -> None:
    assert not is_refreshing(settings.home)
    assert last_run(settings) is None
    assert not settings.home.exists()


# --- the schedule -----------------------------------------------------------------------------------------


def add_run(settings: Settings, ended: datetime, outcome: str = "new", *, whole: bool = True) -> None:
    names = [each.name for each in choose(())] if whole else ["indeed"]
    with Ledger(settings.home).opened() as ledger:
        run_id = ledger.write(
            "INSERT INTO run (started, ended, version, options) VALUES (?, ?, '0', ?)",
            moment(ended),
            moment(ended),
            json.dumps({"sources": names}),
        )
        ledger.write(
            "INSERT INTO source_run (run_id, source, started, ended, outcome) VALUES (?, 'indeed', ?, ?, ?)",
            run_id,
            moment(ended),
            moment(ended),
            outcome,
        )


def test_a_run_is_due_an_interval_after_the_last_that_asked_all_and_was_answered(settings: Settings) -> None:
    then = datetime(2026, 11, 20, tzinfo=UTC)
    assert next_run(settings, DAY) is None
    add_run(settings, then)
    assert next_run(settings, DAY) == then + DAY
    add_run(settings, then + timedelta(hours=1), whole=False)
    add_run(settings, then + timedelta(hours=2), outcome="failed")
    assert next_run(settings, DAY) == then + DAY
    tried = then + timedelta(hours=30)
    assert next_run(settings, DAY, tried) == tried + DAY
    add_run(settings, then + timedelta(hours=40))
    assert next_run(settings, DAY, tried) == then + timedelta(hours=40) + DAY


def runs_within(seconds: float, settings: Settings, marker: Path) -> int:
    """How often a schedule starts its program in a time in which only one run can be due."""
    program = (sys.executable, "-c", f"open({str(marker)!r}, 'a').write('x')")
    refresher = Refresher(program)

    async def server() -> None:
        task = asyncio.create_task(refresh_on_schedule(refresher, settings, DAY))
        await asyncio.sleep(seconds)
        task.cancel()

    with ThreadPoolExecutor(1) as thread:  # a browser test may have left its own loop running in this one
        thread.submit(asyncio.run, server()).result()
    wait_until(lambda: not refresher.is_running(settings))
    return len(marker.read_text()) if marker.exists() else 0


def test_a_schedule_starts_what_is_due_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.refreshing._LOOK_AGAIN", 0.01)
    assert runs_within(0.3, settings, tmp_path / "never-refreshed") == 1
    add_run(settings, datetime.now(UTC) - timedelta(hours=25))
    assert runs_within(0.3, settings, tmp_path / "due") == 1
    add_run(settings, datetime.now(UTC) - timedelta(hours=23))
    assert runs_within(0.3, settings, tmp_path / "not-yet") == 0


@pytest.mark.parametrize("text", ["often", "0h", "24"])
def test_what_is_no_interval_is_misuse(text: str) -> None:
    outcome = CliRunner().invoke(app, ["serve", "--refresh-every", text])
    assert outcome.exit_code == 2
    assert "is no time span" in " ".join(outcome.stderr.split())
