"""What the tests of all live sources share: a home, a server that speaks for the source, no waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stamina

from etl.build import write_warehouse
from etl.ledger import Ledger
from etl.package import read_package
from etl.refresh import RefreshResult, SourceResult, World, refresh
from etl.settings import Settings
from etl.snapshots import LIVE, Store, snapshots_for_build
from etl.sources.catalogue import Catalogue, read_catalogue
from etl.sources.connector import Observation, Target
from etl.sources.figures import previous_of
from etl.sources.registry import CONNECTORS
from etl.warehouse import open_read_only
from tests.conftest import SHIPPED
from tests.etl.replay import Replay, replay

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class Live:
    """A home of its own whose live sources are all spoken for by one server."""

    server: Replay
    settings: Settings
    now: datetime = NOW
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lead every base address of every source to the server."""
        self.environment["PATH"] = os.environ["PATH"]
        for connector in CONNECTORS.values():
            for base in connector.bases:
                parts = ("GENAI_ATLAS_BASE", connector.name, base)
                variable = "_".join(part.upper() for part in parts if part)
                self.environment[variable] = f"{self.server.address}"

    @property
    def world(self) -> World:
        """What a refresh meets outside."""
        return World(environment=self.environment, clock=lambda: self.now)

    def refresh(self, *names: str, accept: bool = False) -> RefreshResult:
        """A refresh with the build that follows."""
        return refresh(self.settings, names, accept=accept, world=self.world)

    def ask(self, name: str) -> SourceResult:
        """A refresh of one source, without a build."""
        return refresh(self.settings, [name], with_build=False, world=self.world).sources[0]

    def rows(self, name: str) -> tuple[Observation, ...]:
        """The figures of a source that were accepted last."""
        return previous_of(self.settings, CONNECTORS[name])

    def manifest(self, name: str) -> dict[str, Any]:
        """What the snapshot in use says of a source."""
        return Store(self.settings.home).current()[LIVE + name].manifest

    def built(self, sql: str) -> list[tuple[Any, ...]]:
        """What a build with the figures of now answers; nothing is published."""
        package = read_package(self.settings.data)
        path = self.settings.home / "looked-at.duckdb"
        write_warehouse(path, package, self.now, snapshots=snapshots_for_build(SHIPPED, self.settings.home))
        with open_read_only(path) as connection:
            return connection.execute(sql).fetchall()

    @property
    def ledger(self) -> Ledger:
        """The ledger of this home, to be read."""
        return Ledger(self.settings.home)

    def outcomes(self, name: str) -> dict[str, str]:
        """What came of each request of a source in the last run, by key."""
        rows = self.ledger.query(
            "SELECT key, outcome FROM request WHERE source = ? AND run_id = (SELECT max(run_id) FROM run)",
            name,
        )
        return {row["key"]: row["outcome"] for row in rows}


# What ships does not change while tests run; reading it takes longer than all else that a refresh does.
_read_once = cache(read_package)


def catalogue() -> Catalogue:
    """What the shipped data package says of live sources."""
    return read_catalogue(_read_once(SHIPPED))


def asked_only(monkeypatch: pytest.MonkeyPatch, connector: str, *targets: Target) -> None:
    """Ask a source for these targets instead of those that ship."""
    shipped = catalogue()
    few = replace(shipped, targets={**shipped.targets, connector: targets})
    monkeypatch.setattr("etl.refresh.read_catalogue", lambda _: few)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A home whose live sources are spoken for by a server of this test; nothing waits."""
    monkeypatch.setattr("etl.refresh.read_package", _read_once)
    with replay() as server, stamina.set_testing(True, attempts=5, cap=True):
        yield Live(server, Settings(home=tmp_path / "home", data=SHIPPED))


@pytest.fixture
def raw() -> Path:
    """The folder of real raw files."""
    folder = Path(os.environ.get("GENAI_ATLAS_RAW") or SHIPPED.parent.parent / "shared" / "raw")
    if not folder.is_dir():
        pytest.skip(f"there are no raw files in {folder}; GENAI_ATLAS_RAW names another folder")
    return folder
