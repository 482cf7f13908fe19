"""A refresh makes things newer or leaves them as they are, whatever happens to source, home or run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from etl.errors import AtlasError, HomeError
from etl.ledger import Ledger
from etl.package import read_package
from etl.refresh import RefreshResult, SourceResult, Step, planned, refresh
from etl.settings import Settings
from etl.snapshots import LIVE, Snapshot, Store
from etl.sources.connector import Connector, Observation, Parsed, Request, State
from etl.sources.figures import previous_of
from etl.warehouse import Home, open_read_only
from tests.etl.live_sources import register, source_of, table, tiny, world
from tests.etl.package_copy import PLACES, PackageCopy, copied
from tests.etl.replay import Received, Replay, Reply, replay, with_etag

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FILE = Request("file", "/file", media="csv")
SIX = {place: [1.0] for place in PLACES}


@dataclass
class Atlas:
    """A home with a small package and two sources, alpha and beta, that one server speaks for."""

    server: Replay
    settings: Settings
    connectors: dict[str, Connector]
    now: datetime = NOW
    steps: list[Step] = field(default_factory=list)

    def refresh(self, *names: str, build: bool = False, accept: bool = False) -> RefreshResult:
        return refresh(
            self.settings,
            names,
            accept=accept,
            with_build=build,
            progress=self.steps.append,
            world=world(self.server.address, *self.connectors.values(), clock=lambda: self.now),
        )

    def ask(self, name: str = "alpha", **traits: Any) -> SourceResult:
        """What comes of one source, without a build."""
        return self.refresh(name, **traits).sources[0]

    def change(self, name: str = "alpha", **traits: Any) -> None:
        """Give a source another trait."""
        self.connectors[name] = replace(self.connectors[name], **traits)

    def values(self, name: str = "alpha") -> dict[tuple[str, str], float]:
        """The figures in use of a source."""
        rows = previous_of(self.settings, self.connectors[name])
        return {(each.entity_id, each.period): each.value for each in rows}

    def snapshot(self, name: str = "alpha") -> Snapshot:
        return Store(self.settings.home).current()[LIVE + name]

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.settings.home)


@pytest.fixture(scope="module")
def declared(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> PackageCopy:
    """A small package that declares the sources alpha and beta. Made once: read it only."""
    package = copied(small_data, tmp_path_factory.mktemp("declared") / "data")
    register(package, "alpha", "beta")
    return package


@pytest.fixture
def atlas(declared: PackageCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Atlas]:
    read = read_package(declared.folder)
    monkeypatch.setattr("etl.refresh.read_package", lambda _: read)
    with replay() as server, stamina.set_testing(True, attempts=5, cap=True):
        server.on("/file", with_etag(table(SIX)))
        server.on("/beta", with_etag(table({"USA": [5.0]})))
        connectors = [tiny("alpha", [FILE]), tiny("beta", [Request("beta", "/beta", media="csv")])]
        yield Atlas(server, declared.settings(tmp_path / "home"), {each.name: each for each in connectors})


# --- figures ------------------------------------------------------------------------------------------------


def test_new_figures_then_the_same_then_others(atlas: Atlas) -> None:
    atlas.server.on(
        "/file", with_etag(table(SIX)), with_etag(table(SIX)), with_etag(table(SIX | {"USA": [2.0]}))
    )
    results = [atlas.ask() for _ in range(3)]
    assert [(each.outcome, each.rows) for each in results] == [("new", 6), ("unchanged", 6), ("new", 6)]
    assert atlas.values()["USA", "1990"] == 2.0
    assert len(atlas.ledger.query("SELECT * FROM snapshot")) == 2
    (run,) = atlas.ledger.query("SELECT * FROM run ORDER BY run_id DESC LIMIT 1")
    assert (run["outcome"], json.loads(run["report"])["sources"][0]["outcome"]) == ("fine", "new")


def test_answers_stay_as_they_came_and_the_snapshot_names_them(atlas: Atlas) -> None:
    body = b"\xef\xbb\xbf" + table(SIX).replace("\n", "\r\n").encode()
    atlas.server.on("/file", Reply(body))
    assert atlas.ask().outcome == "new"
    (named,) = atlas.snapshot().manifest["answers"]
    assert named["url"] == f"{atlas.server.address}/file"
    unpacked = atlas.ledger.unpack(named["sha256"], atlas.settings.home / "unpacked")
    assert unpacked.read_bytes() == body


def test_answers_of_the_figures_in_use_outlive_a_refused_answer(atlas: Atlas) -> None:
    atlas.ask()
    (named,) = atlas.snapshot().manifest["answers"]
    atlas.server.on("/file", Reply("place,year\nUSA,1990\n"))
    assert atlas.ask().outcome == "failed"
    assert atlas.ledger.body(named["sha256"]).is_file()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("place,jahr,value\nUSA,1990,1\n", "cannot be read (KeyError: 'year')"),
        ("place,year,value\nUSA,1990,much\n", "cannot be read (ValueError"),
        ("place,year,value\n", "the answers hold no figure"),
        ("place,year,value\nUSA,1990,1\nUSA,1990,2\n", "two different values for one figure"),
        ("place,year,value\nUSA,1990,1000000\n", "not plausible"),
        ("place,year,value\nUSA,2027,1\n", "a period that has not begun"),
        ("place,year,value\nUSA,199x,1\n", "is no period"),
        ("<html>sorry</html>", "a web page"),
        (b"\xff\xfe\x00", "UnicodeDecodeError"),
    ],
)
def test_what_cannot_be_taken_is_told_and_the_last_figures_stay(atlas: Atlas, body: Any, words: str) -> None:
    atlas.ask()
    before, snapshot = atlas.values(), atlas.snapshot()
    atlas.server.on("/file", Reply(body))
    result = atlas.ask()
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert "last good figures stay" in (result.reason or "")
    assert (atlas.values(), atlas.snapshot()) == (before, snapshot)


@pytest.mark.parametrize(
    ("edition", "words"),
    [("", "''"), ("soon", "'soon'"), ("2026-11-26", "in the future"), ("2026-13", "'2026-13'")],
)
def test_an_edition_is_dated_and_not_in_the_future(atlas: Atlas, edition: str, words: str) -> None:
    parse = atlas.connectors["alpha"].parse
    atlas.change(parse=lambda state: replace(parse(state), editions={source_of("alpha"): edition}))
    reason = atlas.ask().reason or ""
    assert "a wrong date of the edition" in reason
    assert words in reason


def test_exact_repeats_are_one_figure_and_unknown_names_are_counted(atlas: Atlas) -> None:
    atlas.server.on(
        "/file", Reply("place,year,value\nUSA,1990,1\nUSA,1990,1\nNowhere,1990,1\nNowhere,1991,2\n")
    )
    assert atlas.ask().rows == 1
    assert atlas.snapshot().manifest["unmapped"] == {"Nowhere": 2}


def test_far_fewer_figures_than_before_have_to_be_accepted(atlas: Atlas) -> None:
    atlas.ask()
    atlas.server.on("/file", Reply(table({"USA": [1.0]})))
    refused = atlas.ask()
    assert refused.outcome == "failed"
    assert "only 1 figures where there were 6 (--accept takes them)" in (refused.reason or "")
    assert atlas.ask(accept=True).rows == 1


def test_figures_do_not_go_back_in_time_unless_accepted(atlas: Atlas) -> None:
    atlas.ask()
    atlas.server.on("/file", Reply(table(SIX, first_year=1989)))
    assert "the newest period is 1989, and it was 1990" in (atlas.ask().reason or "")
    assert atlas.ask(accept=True).outcome == "new"


def test_a_source_that_keeps_its_history_adds_to_it(atlas: Atlas) -> None:
    atlas.change(keeps_history=True)
    for year in (1990, 1991):
        atlas.server.on("/file", Reply(table({"USA": [year - 1989]}, first_year=year)))
        assert atlas.ask().outcome == "new"
    assert atlas.values() == {("USA", "1990"): 1.0, ("USA", "1991"): 2.0}


def test_a_kept_history_keeps_the_editions_of_its_sources(atlas: Atlas) -> None:
    """A run that reads one of two publications must not leave the figures of the other without source."""
    read = atlas.connectors["alpha"].parse
    first = source_of("alpha")

    def parse(state: State) -> Parsed:
        found = read(state)
        is_second = "1991" in state.answers["file"].text
        return replace(
            found, editions={first: "1999-12-31", "live-other": "1998"} if not is_second else {first: "2001"}
        )

    atlas.change(keeps_history=True, parse=parse)
    for year in (1990, 1991):
        atlas.server.on("/file", Reply(table({"USA": [1.0]}, first_year=year)))
        atlas.ask()
    assert atlas.snapshot().manifest["editions"] == {first: "2001", "live-other": "1998"}


# --- limits and failures ------------------------------------------------------------------------------------


def test_one_source_failing_leaves_the_others_alone(atlas: Atlas) -> None:
    atlas.server.on("/file", Reply(status=500))
    alpha, beta = atlas.refresh().sources
    assert (alpha.outcome, beta.outcome) == ("failed", "new")
    assert alpha.waits == (1.0, 2.0, 4.0, 8.0)
    told = {row["source"]: row["outcome"] for row in atlas.ledger.query("SELECT * FROM source_run")}
    assert told == {"alpha": "failed", "beta": "new"}


def test_a_limit_defers_a_source_and_says_when_to_come_back(atlas: Atlas) -> None:
    atlas.ask()
    atlas.server.on("/file", Reply(status=429, headers={"Retry-After": "7200"}))
    result = atlas.ask()
    assert (result.outcome, result.retry_at) == ("deferred", "2026-11-25T14:00:00.000+00:00")
    assert result.is_fine is False
    assert len(atlas.values()) == 6


@pytest.fixture
def two_files(atlas: Atlas) -> Atlas:
    """Alpha asks for two files; the second one is behind a limit."""
    files = [FILE, Request("second", "/second", media="csv")]
    atlas.change(plan=lambda _: files)
    atlas.server.on("/file", with_etag(table({"USA": [1.0]})))
    atlas.server.on("/second", Reply(status=429, headers={"Retry-After": "7200"}))
    return atlas


def test_what_came_before_a_limit_is_taken_where_it_is_good_by_itself(two_files: Atlas) -> None:
    assert two_files.ask().outcome == "deferred"
    assert two_files.values() == {}
    two_files.change(accepts_partial=True)
    result = two_files.ask()
    assert (result.outcome, result.rows, result.is_fine) == ("partial", 1, True)
    assert result.retry_at == "2026-11-25T14:00:00.000+00:00"
    assert two_files.values() == {("USA", "1990"): 1.0}


def test_pages_are_asked_for_until_the_plan_is_done(atlas: Atlas) -> None:
    def plan(state: State) -> Sequence[Request]:
        pages = [Request(f"page {number}", f"/page/{number}", media="csv") for number in range(1, 9)]
        known = [page for page in pages if page.key in state.answers]
        return pages[: len(known) + 1] if len(known) < 3 else known

    atlas.change(plan=plan)
    for number in range(1, 9):
        atlas.server.on(f"/page/{number}", Reply(table({"USA": [float(number)]}, first_year=1990 + number)))
    assert atlas.ask().rows == 3
    assert [each.path for each in atlas.server.received] == ["/page/1", "/page/2", "/page/3"]


def test_a_plan_without_end_is_ended(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.refresh.MAX_ROUNDS", 5)
    atlas.change(plan=lambda state: [replace(FILE, key=f"page {len(state.answers)}")])
    assert "goes on naming further pages" in (atlas.ask().reason or "")
    assert len(atlas.server.received) == 5


def test_closed_periods_are_never_asked_for_again(atlas: Atlas) -> None:
    atlas.change(plan=lambda _: [replace(FILE, is_final=True)])
    assert [atlas.ask().outcome for _ in range(3)] == ["new", "unchanged", "unchanged"]
    assert len(atlas.server.received) == 1
    (plan,) = planned(atlas.settings, ["alpha"], world(atlas.server.address, *atlas.connectors.values()))
    assert (plan["requests"], plan["stored"]) == ([], 1)


def test_figures_of_a_test_server_and_of_the_source_never_meet(atlas: Atlas) -> None:
    atlas.ask()
    real = world(atlas.server.address, atlas.connectors["alpha"], clock=lambda: NOW)
    real = replace(real, environment={})
    (result,) = refresh(atlas.settings, ["alpha"], with_build=False, world=real).sources
    assert "the figures here come from a test server, and the live source would be asked" in (
        result.reason or ""
    )
    assert len(atlas.server.received) == 1


def test_progress_tells_each_request_and_the_result(atlas: Atlas) -> None:
    atlas.ask()
    told = [(each.source, each.done, each.planned, each.words) for each in atlas.steps]
    assert told == [("alpha", 0, 1, "file"), ("alpha", 1, 1, "new")]
    assert atlas.steps[-1].result == SourceResult("alpha", "new", rows=6)


# --- the build that follows ---------------------------------------------------------------------------------


def test_figures_that_break_a_rule_of_the_build_give_way_and_the_others_are_published(atlas: Atlas) -> None:
    atlas.now = datetime(2097, 1, 1, tzinfo=UTC)
    assert atlas.refresh(build=True).is_fine
    before = atlas.values()
    # Later than any source of the package: no fault of the answer by itself, and the build refuses it.
    atlas.server.on("/file", Reply(table(SIX, first_year=2096)))
    atlas.server.on("/beta", Reply(table({"USA": [6.0]})))
    result = atlas.refresh(build=True)
    alpha, beta = result.sources
    assert (alpha.outcome, beta.outcome) == ("failed", "new")
    assert "Its new figures break a rule" in (alpha.reason or "")
    assert "later than the newest source" in (alpha.reason or "")
    assert atlas.values() == before
    assert result.build is not None
    assert result.build.published
    with open_read_only(result.build.build.path) as connection:
        found = connection.execute(
            "SELECT source_id, max(value) FROM live_observation GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [(source_of("alpha"), 1.0), (source_of("beta"), 6.0)]


def test_new_figures_of_a_first_refresh_that_break_a_rule_are_put_away(atlas: Atlas) -> None:
    atlas.now = datetime(2097, 1, 1, tzinfo=UTC)
    atlas.server.on("/file", Reply(table(SIX, first_year=2096)))
    result = atlas.refresh("alpha", build=True)
    assert [each.outcome for each in result.sources] == ["failed"]
    assert atlas.values() == {}
    assert Home(atlas.settings.home).best()[0].is_current


# --- damage -------------------------------------------------------------------------------------------------


def test_a_damaged_ledger_stops_the_refresh_and_costs_no_figures(atlas: Atlas) -> None:
    atlas.ask()
    figures, snapshot = atlas.values(), atlas.snapshot()
    path = atlas.settings.home / "ledger.sqlite"
    path.write_bytes(b"this is no ledger" * 999)
    with pytest.raises(AtlasError, match="move it away and refresh again"):
        atlas.ask()
    assert atlas.values() == figures
    path.unlink()
    assert atlas.ask().outcome == "unchanged"
    assert atlas.snapshot() == snapshot
    (entry,) = atlas.ledger.query("SELECT source, snapshot, rows FROM snapshot")
    assert entry == {"source": "live-alpha", "snapshot": snapshot.snapshot_id, "rows": 6}


def test_a_damaged_answer_is_asked_for_anew(atlas: Atlas) -> None:
    atlas.ask()
    (named,) = atlas.snapshot().manifest["answers"]
    body = atlas.ledger.body(named["sha256"])
    body.write_bytes(body.read_bytes()[:30])
    assert "damaged; the next refresh asks" in (atlas.ask().reason or "")
    assert atlas.ask().outcome == "unchanged"


def test_a_damaged_snapshot_is_replaced_and_no_history_is_lost(atlas: Atlas) -> None:
    atlas.change(keeps_history=True)
    for year in (1990, 1991):
        atlas.server.on("/file", Reply(table({"USA": [1.0]}, first_year=year)))
        atlas.ask()
    atlas.snapshot().content.write_bytes(b"half a table")
    assert atlas.ask().outcome == "new"
    assert sorted(atlas.values()) == [("USA", "1990"), ("USA", "1991")]


def test_a_snapshot_of_an_earlier_version_may_lack_a_field(atlas: Atlas) -> None:
    import pandas as pd

    atlas.ask()
    path = atlas.snapshot().content
    pd.read_parquet(path).drop(columns=["relayed_by", "area_basis"]).to_parquet(path, index=False)
    assert atlas.ask().outcome == "unchanged"


def test_leftovers_of_a_killed_run_are_cleared_away(atlas: Atlas) -> None:
    atlas.ask()
    store = Store(atlas.settings.home)
    leftover = store.folder / f"{LIVE}alpha-0123456789abcdef"
    leftover.mkdir()
    (leftover / "manifest.json").write_text("{}", encoding="utf-8")
    lost = store.folder / f"{LIVE}beta-0123456789abcdef"
    with atlas.ledger.opened() as ledger:
        ledger.write("INSERT INTO snapshot VALUES ('live-beta', '0123456789abcdef', 1, '1999', 1)")
    (atlas.ledger.folder / "unfinished-1.part").write_bytes(b"half")
    atlas.ask()
    assert not leftover.exists()
    assert not lost.exists()
    assert [row["source"] for row in atlas.ledger.query("SELECT source FROM snapshot")] == ["live-alpha"]
    assert not (atlas.ledger.folder / "unfinished-1.part").exists()


def test_a_home_that_cannot_be_written_is_told(atlas: Atlas, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    atlas.settings = atlas.settings.model_copy(update={"home": tmp_path / "file" / "home"})
    with pytest.raises(HomeError, match="name another folder with --home"):
        atlas.ask()
    assert atlas.server.received == []


@pytest.mark.skipif(os.name == "nt", reason="the limit is one of POSIX systems")
def test_a_full_disk_is_told_and_costs_no_figures(atlas: Atlas) -> None:
    import resource

    atlas.ask()
    before = atlas.values()
    atlas.server.on("/file", Reply("x" * 3_000_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        result = atlas.ask()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert result.outcome == "failed"
    assert f"Writing to {atlas.settings.home} failed" in (result.reason or "")
    assert atlas.values() == before
    assert list(atlas.ledger.folder.glob("unfinished-*")) == []


# --- runs that are interrupted ------------------------------------------------------------------------------


def test_two_refreshes_at_once_are_one_and_a_clear_refusal(atlas: Atlas) -> None:
    refused: list[str] = []

    def meanwhile(_: Received) -> Reply:
        with pytest.raises(HomeError) as error:
            atlas.refresh("beta")
        refused.append(str(error.value))
        return with_etag(table(SIX))

    atlas.server.on("/file", meanwhile)
    assert atlas.ask().outcome == "new"
    assert "Another process is refreshing" in refused[0]
    assert atlas.server.asked("/beta") == []


def test_a_fault_of_the_program_ends_the_run_and_the_next_goes_on(atlas: Atlas) -> None:
    class Fault(BaseException):
        pass

    def fail(step: Step) -> None:
        if step.source == "beta":
            raise Fault

    with pytest.raises(Fault):
        refresh(
            atlas.settings,
            with_build=False,
            progress=fail,
            world=world(atlas.server.address, *atlas.connectors.values(), clock=lambda: NOW),
        )
    result = atlas.refresh()
    assert (result.run_id, [each.is_fine for each in result.sources]) == (1, [True, True])


def test_a_run_killed_long_ago_is_not_gone_on_with(atlas: Atlas) -> None:
    atlas.ask()
    with atlas.ledger.opened() as ledger:
        ledger.write("UPDATE run SET ended = NULL")
    atlas.now = NOW + timedelta(hours=1)
    assert atlas.refresh("alpha").run_id == 1
    assert len(atlas.server.received) == 1
    with atlas.ledger.opened() as ledger:
        ledger.write("UPDATE run SET ended = NULL")
    atlas.now = NOW + timedelta(hours=7)
    assert atlas.refresh("alpha").run_id == 2
    assert len(atlas.server.received) == 2
    first, second = atlas.ledger.query("SELECT outcome FROM run ORDER BY run_id")
    assert (first["outcome"], second["outcome"]) == ("interrupted", "fine")


_PROGRAM = """
import sys
from pathlib import Path
from etl.refresh import refresh
from etl.settings import Settings
from etl.sources.connector import Request
from tests.etl.live_sources import tiny, world

home, data, server = sys.argv[1:]
files = [Request(str(number), f"/{number}", media="csv") for number in range(4)]
refresh(Settings(home=home, data=data), with_build=False, world=world(server, tiny("alpha", files)))
"""


def begun(atlas: Atlas, wait_for: Callable[[], bool]) -> subprocess.Popen[str]:
    """A refresh of four files in a process of its own, of which the third is not answered."""
    for number in range(4):
        atlas.server.on(f"/{number}", with_etag(table({"USA": [1.0]}, first_year=1990 + number)))
    atlas.server.on("/2", Reply(table({"USA": [1.0]}, first_year=1992), stall=20))
    root = Path(__file__).resolve().parents[2]
    arguments = [str(atlas.settings.home), str(atlas.settings.data), atlas.server.address]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not wait_for():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT] if os.name != "nt" else [signal.SIGTERM])
def test_a_run_that_was_ended_asks_only_what_is_missing(atlas: Atlas, end: signal.Signals) -> None:
    process = begun(atlas, lambda: bool(atlas.server.asked("/2")))
    process.send_signal(end)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0
    if end == signal.SIGINT:
        assert "KeyboardInterrupt" in err
        assert "Exception in thread" not in err
    assert atlas.values() == {}
    assert atlas.ledger.problem() is None
    atlas.server.on("/2", with_etag(table({"USA": [1.0]}, first_year=1992)))
    atlas.server.received.clear()
    files = [Request(str(number), f"/{number}", media="csv") for number in range(4)]
    atlas.change(plan=lambda _: files)
    atlas.now = datetime.now(UTC)
    result = atlas.refresh("alpha")
    assert (result.run_id, result.sources[0].rows) == (1, 4)
    assert [each.path for each in atlas.server.received] == ["/2", "/3"]


def test_sources_run_side_by_side(atlas: Atlas) -> None:
    """Both are asked before either is answered; the second one under another name of the same machine."""
    both = threading.Barrier(2, timeout=10)

    def together(request: Received) -> Reply:
        both.wait()
        return Reply(table({"USA": [1.0]}))

    atlas.server.on("/file", together)
    atlas.server.on("/beta", together)
    here = world(atlas.server.address, *atlas.connectors.values(), clock=lambda: NOW)
    other = atlas.server.address.replace("127.0.0.1", "localhost")
    here = replace(here, environment={**here.environment, "GENAI_ATLAS_BASE_BETA": other})
    result = refresh(atlas.settings, with_build=False, world=here)
    assert [each.outcome for each in result.sources] == ["new", "new"]


def test_observations_know_their_place_for_ever() -> None:
    row = Observation("live-x", "metric", "USA", "1999", 1.0, "percent", series="a")
    again = replace(row, value=2.0, note="another", vintage="1999-01-01")
    assert row.claim_id("x") == again.claim_id("x") == "live-x-75899d76c044"
    assert row.claim_id("x") != replace(row, period="2000").claim_id("x")
