"""Two hundred refreshes that meet faults at random: nothing is ever lost, nothing wrong is published."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stamina
import yaml

import etl.build
import etl.validation
from etl.ledger import Ledger
from etl.package import DESCRIPTOR, read_package
from etl.refresh import RefreshResult, refresh
from etl.rules import Rule, load_rules
from etl.snapshots import LIVE, Store
from etl.sources.connector import Connector, Request
from etl.sources.figures import read_figures
from etl.warehouse import Home, open_read_only, verify
from tests.etl.live_sources import METRIC, register, table, tiny, world
from tests.etl.package_copy import PLACES, PackageCopy, copied
from tests.etl.replay import Replay, Reply, replay, with_etag

REFRESHES = 200
SEED = 1999
SHARE_OF_FAULTS = 0.12
SHARE_KILLED = 0.2
# A build takes longer than all else.
SHARE_WITH_BUILD = 0.2
NAMES = ("alpha", "beta", "gamma")
# All that the figures of these sources need: a build takes a fraction of a second.
TABLES = ("publisher", "licence", "source", "unit", "metric", "entity", "workforce", "live_source")
TOO_MUCH = 50
RULE = Rule(
    "shares-are-small",
    "mart",
    "blocking",
    "A share is at most half.",
    f"SELECT claim_id, value FROM observation WHERE metric_id = '{METRIC}' AND value > {TOO_MUCH}",
)


class KilledError(BaseException):
    """The run ends here, as if the machine had been switched off."""


@dataclass
class Soak:
    """A home, its sources, and what they say at the moment."""

    server: Replay
    package: PackageCopy
    home: Home
    chance: random.Random
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    values: dict[str, dict[str, float]] = field(
        default_factory=lambda: {name: dict.fromkeys(PLACES, 1.0) for name in NAMES}
    )
    ever: dict[str, set[float]] = field(default_factory=lambda: defaultdict(lambda: {1.0}))
    # Calls of the ledger until the run is killed; None where it lives.
    left: int | None = None
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def store(self) -> Store:
        return Store(self.home.path)

    @property
    def connectors(self) -> list[Connector]:
        return [
            tiny(name, [Request(part, f"/{name}/{part}", media="csv") for part in ("a", "b")])
            for name in NAMES
        ]

    def refresh(self, *, accept: bool, build: bool = True) -> RefreshResult | None:
        """One refresh; None where it was killed."""
        self.now += timedelta(hours=self.chance.choice([1, 24, 24 * 31]))
        try:
            return refresh(
                self.package.settings(self.home.path),
                accept=accept,
                with_build=build,
                world=world(self.server.address, *self.connectors, clock=lambda: self.now),
            )
        except KilledError:
            return None

    def serve(self, name: str, share_of_faults: float) -> None:
        """Let a source answer, mostly well."""
        if self.chance.random() < 0.15:
            value = round(self.chance.uniform(0.5, 3), 2)
            self.values[name][self.chance.choice(PLACES)] = value
            self.ever[name].add(value)
        for part, places in (("a", PLACES[:3]), ("b", PLACES[3:])):
            # The second year is the open one.
            good = table({place: [self.values[name][place], 1.0] for place in places})
            is_faulty = self.chance.random() < share_of_faults
            self.server.on(f"/{name}/{part}", self.fault(good, places) if is_faulty else with_etag(good))

    def fault(self, good: str, places: Sequence[str]) -> Reply:
        """What may go wrong with an answer."""
        faults: list[Callable[[], Reply]] = [
            lambda: Reply(status=500),
            lambda: Reply(status=429, headers={"Retry-After": "9999"}),
            lambda: Reply("<html>sorry</html>"),
            lambda: Reply(good, cut=len(good) // 2),
            lambda: Reply(good.replace("value", "amount")),
            lambda: Reply(good.splitlines()[0] + "\n"),
            lambda: Reply(f"{good}USA,1990,44\nUSA,1990,45\n"),
            lambda: Reply(good.replace("1990,", "1990,9999")),
            lambda: Reply(good, gzipped=True),
            # Sound by itself, and against the rule of the build.
            lambda: Reply(table({place: [TOO_MUCH + 0.5, 1.0] for place in places})),
        ]
        return self.chance.choice(faults)()

    def check_home(self, result: RefreshResult | None) -> None:
        """What must hold after every refresh, however it ended."""
        if served := self.home.current():
            with open_read_only(served.path) as connection:
                assert connection.execute(RULE.sql).fetchall() == []
        ledger = Ledger(self.home.path)
        assert ledger.problem() is None
        entries = {(row["source"], row["snapshot"]) for row in ledger.query("SELECT * FROM snapshot")}
        used = self.store.current()
        assert {(each.source, each.snapshot_id) for each in used.values()} <= entries
        for snapshot in used.values():
            name = snapshot.source.removeprefix(LIVE)
            figures = read_figures(self.store, name)
            assert figures is not None
            assert figures.is_in_use
            assert {row.value for row in figures.rows.values()} <= self.ever[name] | {TOO_MUCH + 0.5}
            assert all(ledger.body(each["sha256"]).is_file() for each in snapshot.manifest["answers"])
        if result is not None:
            folders = {path.name for path in self.store.folder.iterdir() if path.is_dir()}
            assert folders == {f"{source}-{snapshot_id}" for source, snapshot_id in entries}
            assert ledger.query("SELECT * FROM run WHERE ended IS NULL") == []
            assert not list(ledger.folder.glob("unfinished-*"))


@pytest.fixture
def soak(small_data: PackageCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Soak]:
    package = without_other_tables(copied(small_data, tmp_path / "data"))
    read = read_package(package.folder)
    monkeypatch.setattr("etl.refresh.read_package", lambda _: read)
    monkeypatch.setattr("etl.build.read_package", lambda _: read)
    rules = {"package": rules_about_observations(), "mart": [RULE]}
    monkeypatch.setattr(etl.validation, "load_rules", rules.__getitem__)
    monkeypatch.setattr(etl.build, "load_rules", rules.__getitem__)
    monkeypatch.setattr(etl.build, "load_marts", list)
    monkeypatch.setattr("etl.salary_model.fit_in_build", lambda _: None)
    monkeypatch.setattr("etl.salary_model.TABLES", ())
    write = Ledger.write

    def write_or_die(ledger: Ledger, sql: str, *values: object) -> int:
        if running.left is not None:
            running.left -= 1
            if running.left == 0:
                raise KilledError
            if running.left < 0 and running.chance.random() < 0.5:
                write(ledger, sql, *values)
                raise KilledError
        return write(ledger, sql, *values)

    monkeypatch.setattr(Ledger, "write", write_or_die)
    with replay() as server, stamina.set_testing(True, attempts=2, cap=True):
        running = Soak(server, package, Home(tmp_path / "home"), random.Random(SEED))  # noqa: S311  # chance
        yield running


def without_other_tables(package: PackageCopy) -> PackageCopy:
    path = package.path(DESCRIPTOR)
    descriptor = yaml.safe_load(path.read_text(encoding="utf-8"))
    descriptor["resources"] = [each for each in descriptor["resources"] if each["name"] in TABLES]
    path.write_text(yaml.safe_dump(descriptor, sort_keys=False), encoding="utf-8")
    register(package, *NAMES)
    return package


def rules_about_observations() -> list[Rule]:
    names = {"values-are-plausible", "units-fit-their-metric", "observations-are-told-once"}
    return [rule for rule in load_rules("package") if rule.name in names]


def test_two_hundred_refreshes_with_faults_lose_nothing_and_publish_nothing_wrong(soak: Soak) -> None:
    published: set[str] = set()
    for number in range(REFRESHES):
        for name in NAMES:
            soak.serve(name, SHARE_OF_FAULTS)
        before, builds = soak.home.current(), {each.build_id for each in soak.home.builds()}
        is_killed = soak.chance.random() < SHARE_KILLED
        soak.left = soak.chance.randint(1, 35) if is_killed else None
        result = soak.refresh(
            accept=soak.chance.random() < 0.3, build=soak.chance.random() < SHARE_WITH_BUILD
        )
        soak.left = None
        soak.check_home(result)
        current = soak.home.current()
        is_new = current != before
        if before:
            assert current is not None
            kept = {each.build_id for each in soak.home.builds()}
            assert before.build_id in kept
            assert len(kept) <= 5
            # What was there before is gone only where five newer ones are kept.
            assert len(kept) == 5 or builds <= kept
        if current:
            published.add(current.build_id)
        soak.seen[
            "killed" if result is None else "held" if result.held else "new build" if is_new else "same"
        ] += 1
        soak.seen.update(each.outcome for each in (result.sources if result else ()))
        if number % 40 == 0:
            for each in soak.home.builds():
                verify(each)
    # Every kind of thing happened, or the test has tested nothing.
    for what in ("killed", "held", "new build", "same", "failed", "deferred", "new", "unchanged"):
        assert soak.seen[what] >= 5, soak.seen
    assert len(published) >= 10, soak.seen
    for name in NAMES:
        soak.serve(name, 0)
    result = soak.refresh(accept=True)
    assert result is not None
    assert result.is_fine, result
    assert soak.home.best() == (soak.home.current(), None)
    soak.check_home(result)
    for name in NAMES:
        figures = read_figures(soak.store, name)
        assert figures is not None
        found = {row.entity_id: row.value for row in figures.rows.values() if row.period == "1990"}
        assert found == soak.values[name]
