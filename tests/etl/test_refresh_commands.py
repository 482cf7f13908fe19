"""The commands about live sources: refresh with its dry run, sources, status, build --accept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from etl.freshness import freshness
from etl.ledger import Ledger, moment
from etl.settings import Settings
from etl.warehouse import Home
from tests.etl.package_copy import PackageCopy
from tests.etl.replay import Replay, Reply, replay
from tests.etl.test_cli import run

PATH = "/hiring-lab/ai-tracker/main/AI_posting.csv"
DAYS = "date,jobcountry,AI_share_postings\n1999-01-01,US,1.0\n1999-12-31,US,2.0\n"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def server(package_copy: PackageCopy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """A server that speaks for Indeed, beside a small package that the settings name."""
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(package_copy.folder))
    with replay() as server, stamina.set_testing(True, attempts=5, cap=True):
        monkeypatch.setenv("GENAI_ATLAS_BASE_INDEED", server.address)
        server.on(PATH, Reply(DAYS))
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def add_runs(home: Path, *runs: tuple[str, datetime, str | None]) -> None:
    """What a ledger holds after runs of one source that ended so."""
    with Ledger(home).opened() as ledger:
        for outcome, ended, reason in runs:
            run_id = ledger.write(
                "INSERT INTO run (started, version, options) VALUES (?, '0', '{}')", moment(ended)
            )
            ledger.write(
                "INSERT INTO source_run (run_id, source, started, ended, outcome, reason) "
                "VALUES (?, 'indeed', ?, ?, ?, ?)",
                run_id,
                moment(ended),
                moment(ended),
                outcome,
                reason,
            )


def row_of(settings: Settings, now: datetime = NOW) -> Any:
    (row,) = (each for each in freshness(settings, now) if each.connector == "indeed")
    return row


def test_refresh_reads_builds_and_tells(server: Replay, home: Home) -> None:
    first, second, third = (
        run("refresh", "indeed"),
        run("refresh", "indeed"),
        run("refresh", "indeed", "--json"),
    )
    (built,) = home.builds()
    assert (first.code, second.code, third.code) == (0, 0, 0)
    assert first.out == f"1 source: 1 new.\nPublished {built.build_id}.\n"
    assert second.out == f"1 source: 1 unchanged.\nUnchanged: the current build is {built.build_id}.\n"
    assert "indeed: new, 1 figure" in first.err
    assert third.document["ok"] is True
    assert [(each["source"], each["outcome"], each["rows"]) for each in third.document["sources"]] == [
        ("indeed", "unchanged", 1)
    ]
    assert third.document["build"]["build"] == built.build_id
    (line,) = (line for line in run("status").out.splitlines() if line.startswith("live sources: "))
    assert line.startswith("live sources: 1 read, ")


def test_a_source_that_fails_is_exit_code_1_and_named(server: Replay, home: Home) -> None:
    run("refresh", "indeed")
    server.on(PATH, Reply("<html>sorry</html>"))
    outcome = run("refresh", "indeed", "--json")
    assert outcome.code == 1
    assert outcome.document["ok"] is False
    (source,) = outcome.document["sources"]
    assert source["outcome"] == "failed"
    assert "a web page" in source["reason"]
    assert outcome.document["build"]["published"] is False
    assert len(home.builds()) == 1
    told = run("sources")
    assert told.code == 0
    assert "Indeed Hiring Lab, AI Tracker" in told.out
    assert "indeed: Indeed Hiring Lab gave no usable answer" in told.out
    (row,) = (each for each in run("sources", "--json").document if each["connector"] == "indeed")
    assert (row["last_outcome"], row["rhythm_days"], row["is_overdue"]) == ("failed", 31, False)
    assert row["licence"] == "Creative Commons Attribution 4.0 International"
    assert row["last_success"] is not None


def test_a_dry_run_asks_nothing_and_touches_nothing(server: Replay, home: Home) -> None:
    outcome = run("refresh", "indeed", "--dry-run")
    assert outcome.code == 0
    assert "Indeed Hiring Lab (indeed): 1 request, about 0.8 MB" in outcome.out
    assert f"GET {PATH}" in outcome.out
    assert f"at {server.address} (a test server)" in outcome.out
    (plan,) = run("refresh", "indeed", "--dry-run", "--json").document["sources"]
    assert plan["requests"][0]["path"] == PATH
    assert plan["token"] is None
    assert server.received == []
    assert not home.path.exists()


def test_an_unknown_source_is_a_clear_error() -> None:
    outcome = run("refresh", "nonsense", "--json")
    assert outcome.code == 2
    assert "There is no live source 'nonsense'; there are " in outcome.document["error"]


def test_a_held_build_says_why_and_is_published_when_accepted(server: Replay, home: Home) -> None:
    shares = {"US": 0.1, "AU": 0.2, "CA": 0.3, "FR": 0.4, "GB": 0.5, "NL": 0.6}
    old = "".join(f"1999-12-31,{code},{share}\n" for code, share in shares.items())
    new = "".join(f"1999-12-31,{code},{share * 9}\n" for code, share in shares.items())
    header = DAYS.splitlines()[0] + "\n"
    server.on(PATH, Reply(header + old), Reply(header + new))
    run("refresh", "indeed")
    (before,) = home.builds()
    held = run("refresh", "indeed")
    assert held.code == 1
    assert "multiplied by 9" in held.err
    assert "--accept" in held.err
    assert run("build", "--json").document["held"]
    assert home.best()[0].build_id == before.build_id
    accepted = run("build", "--accept")
    assert accepted.code == 0
    assert home.best()[0].build_id != before.build_id


def test_age_due_and_overdue(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    assert (row_of(settings).last_success, row_of(settings).is_overdue) == (None, False)
    read = NOW - timedelta(days=33)
    add_runs(settings.home, ("new", read, None))
    row = row_of(settings)
    assert (row.last_success, row.age, row.next_due) == (read, timedelta(days=33), read + timedelta(days=31))
    assert row.is_overdue is False
    assert row_of(settings, NOW + timedelta(days=7)).is_overdue is True


def test_a_failure_does_not_make_a_source_fresh(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    read = NOW - timedelta(days=50)
    add_runs(
        settings.home, ("unchanged", read, None), ("failed", NOW, "No answer; its last good figures stay.")
    )
    row = row_of(settings)
    assert (row.last_success, row.last_outcome, row.last_tried) == (read, "failed", NOW)
    assert row.is_overdue is True
    assert row.reason == "No answer; its last good figures stay."
    assert json.loads(json.dumps(row.as_dict()))["age"] == timedelta(days=50).total_seconds()


def test_a_damaged_ledger_is_told_and_sources_are_listed(server: Replay, home: Home) -> None:
    home.path.mkdir(parents=True)
    (home.path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    outcome = run("sources")
    assert outcome.code == 0
    assert "never" in outcome.out
    assert "cannot be read" in outcome.err
