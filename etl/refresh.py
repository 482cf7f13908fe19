"""Brings the figures of live sources up to date: ask -> read -> check -> snapshot, then build and publish.

Sources run side by side, each host is asked by one thread at a time. A source that fails keeps its last good
snapshot. A run that was killed is gone on with: what it was told already is not asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from filelock import FileLock, Timeout

from etl import __version__
from etl.build import BuildResult, build
from etl.errors import AtlasError, DataError, HomeError, MisuseError, Problem
from etl.gate import HeldError
from etl.ledger import Ledger, as_json, moment
from etl.package import read_package
from etl.salaries import import_files
from etl.settings import Settings
from etl.snapshots import LIVE, MANIFEST, ROWS, Store
from etl.sources import acceptance
from etl.sources.catalogue import Catalogue, read_catalogue
from etl.sources.connector import Answer, Connector, Observation, Parsed, Request, State
from etl.sources.fetch import (
    DeferredError,
    Fetcher,
    Hosts,
    SourceError,
    answer_of,
    base_address,
    is_loopback,
)
from etl.sources.registry import CONNECTORS
from etl.sources.staging import COLUMNS

MAX_PARALLEL = 6
RESUME_WITHIN = timedelta(hours=24)
# A plan that goes on naming new requests for so many rounds does not end.
MAX_ROUNDS = 1_000

Outcome = Literal["new", "unchanged", "partial", "deferred", "failed"]


@dataclass(frozen=True)
class Step:
    """What a run is doing now.

    Attributes:
        source: the name of a source; None while the build is made.
        done: requests answered, of `planned` that are known so far.
        words: for people.
        result: what came of the source, once it is done with.
    """

    source: str | None
    done: int
    planned: int
    words: str
    result: SourceResult | None = None


Progress = Callable[[Step], None]


@dataclass(frozen=True)
class World:
    """What a refresh meets outside: settings of the environment, the sources there are, the time."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    connectors: Mapping[str, Connector] = field(default_factory=lambda: CONNECTORS)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class SourceResult:
    """What came of one source.

    Attributes:
        outcome: new figures; the same as before; a part, up to a limit; asked to come back; failed.
        retry_at: when it may be asked again, where it says so.
        rows: figures in its snapshot.
        waits: seconds that were waited before asking again.
    """

    source: str
    outcome: Outcome
    reason: str | None = None
    retry_at: str | None = None
    rows: int | None = None
    warnings: tuple[str, ...] = ()
    waits: tuple[float, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to do about it."""
        return self.outcome in {"new", "unchanged", "partial"}


@dataclass(frozen=True)
class RefreshResult:
    """What came of a run: of each source, and of the build that followed.

    Attributes:
        held: why a person should look before the build is published.
        error: why nothing was published; `problems` are the rules that the build breaks, if it is that.
    """

    run_id: int
    sources: tuple[SourceResult, ...]
    build: BuildResult | None = None
    held: tuple[str, ...] = ()
    error: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether every source and the build are."""
        return self.error is None and not self.held and all(each.is_fine for each in self.sources)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "ok": self.is_fine,
            "run": self.run_id,
            "sources": [asdict(each) for each in self.sources],
            "build": self.build.as_dict() if self.build else None,
            "held": list(self.held),
            "error": self.error,
            "problems": [each.as_dict() for each in self.problems],
        }


def refresh(
    settings: Settings,
    names: Sequence[str] = (),
    *,
    accept: bool = False,
    with_build: bool = True,
    progress: Progress = lambda *_: None,
    world: World = World(),  # frozen
) -> RefreshResult:
    """Ask the named live sources (all that are not optional, if none is named), then build.

    Raises:
        AtlasError: a source is not known, another refresh is running, or the home cannot be used.
        KeyboardInterrupt: as it came; everything that was stored is whole, the next run goes on from there.
    """
    chosen = choose(names, world.connectors)
    catalogue = read_catalogue(read_package(settings.data))
    with _refreshing(settings.home), Ledger(settings.home).opened() as ledger:
        reconcile(ledger, Store(settings.home))
        run_id = _run(ledger, [each.name for each in chosen], world.clock)
        run = _Run(settings, catalogue, ledger, run_id, progress, world)
        results = run.all(chosen)
        result = RefreshResult(run_id, tuple(results))
        if with_build:
            result = _build(settings, result, accept, progress)
        outcome = "fine" if result.is_fine else "held" if result.held else "failed"
        ledger.write(
            "UPDATE run SET ended = ?, outcome = ?, build = ?, report = ? WHERE run_id = ?",
            moment(world.clock()),
            outcome,
            result.build.build.build_id if result.build else None,
            as_json(result.as_dict()),
            run_id,
        )
        ledger.tidy(set())
    return result


def choose(names: Sequence[str], connectors: Mapping[str, Connector] = CONNECTORS) -> list[Connector]:
    """The connectors of these names; without names all that are not optional.

    Raises:
        MisuseError: a name is not known.
    """
    if unknown := [name for name in names if name not in connectors]:
        raise MisuseError(
            f"There is no live source '{', '.join(unknown)}'; there are {', '.join(sorted(connectors))}."
        )
    if names:
        return [connectors[name] for name in dict.fromkeys(names)]
    return [each for each in connectors.values() if not each.is_optional]


def planned(
    settings: Settings,
    names: Sequence[str] = (),
    world: World = World(),  # frozen
) -> list[dict[str, Any]]:
    """What a refresh would ask, JSON-ready, without asking: the first round of each source."""
    catalogue = read_catalogue(read_package(settings.data))
    ledger = Ledger(settings.home)
    found = []
    for connector in choose(names, world.connectors):
        state = first_state(connector, catalogue, settings, ledger, world)
        wanted = connector.plan(state)
        requests = [each for each in wanted if not (each.is_final and each.key in state.stored)]
        secret = connector.secret
        base = base_address(connector, "", world.environment)
        found.append(
            {
                "source": connector.name,
                "title": connector.title,
                "address": base,
                "is_replay": is_loopback(base),
                "stored": len(wanted) - len(requests),
                "requests": [
                    {"key": each.key, "method": each.method, "path": each.path, "bytes": each.about}
                    for each in requests
                ],
                "bytes": sum(each.about for each in requests),
                "cost": sum(each.cost for each in requests),
                "token": secret
                and {
                    "variable": secret.variable,
                    "is_there": secret.variable in state.tokens,
                    "effect": secret.effect,
                },
            }
        )
    return found


def reconcile(ledger: Ledger, store: Store) -> None:
    """Make snapshots and ledger tell the same after a kill: neither has an entry that the other lacks."""
    entries = {(row["source"], row["snapshot"]) for row in ledger.query("SELECT * FROM snapshot")}
    folders = {
        (folder.name.rsplit("-", 1)[0], folder.name.rsplit("-", 1)[1]): folder
        for folder in store.folder.glob(f"{LIVE}*-*")
        if folder.is_dir()
    }
    for name in folders.keys() - entries:
        shutil.rmtree(folders[name], ignore_errors=True)
    for source, snapshot in entries - folders.keys():
        ledger.write("DELETE FROM snapshot WHERE source = ? AND snapshot = ?", source, snapshot)


def first_state(
    connector: Connector,
    catalogue: Catalogue,
    settings: Settings,
    ledger: Ledger,
    world: World,
) -> State:
    """What a connector knows before it asks anything."""
    kind = "replay" if is_loopback(base_address(connector, "", world.environment)) else "live"
    stored = {
        key: answer_of(Request(key, ""), kept, ledger)
        for key, kept in ledger.stored(connector.name).items()
        if kept.base_kind == kind
    }
    secret = connector.secret
    has_token = bool(secret and world.environment.get(secret.variable, "").strip())
    return State(
        today=world.clock().date(),
        targets=catalogue.targets.get(connector.name, ()),
        stored=stored,
        previous=previous_of(settings, connector),
        tokens=frozenset([secret.variable] if secret and has_token else []),
        entities=catalogue.entities,
    )


def previous_of(settings: Settings, connector: Connector) -> tuple[Observation, ...]:
    """The figures of a source that were accepted last."""
    snapshot = Store(settings.home).current().get(LIVE + connector.name)
    if snapshot is None or not snapshot.content.is_file():
        return ()
    frame = pd.read_parquet(snapshot.content)
    names = list(Observation.__dataclass_fields__)
    rows = frame.astype(object).where(frame.notna(), None)[names].to_dict("records")
    return tuple(Observation(**{str(name): value for name, value in row.items()}) for row in rows)


class _Run:
    """One run over several sources."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        ledger: Ledger,
        run_id: int,
        progress: Progress,
        world: World,
    ) -> None:
        self.settings, self.catalogue, self.ledger, self.run_id = settings, catalogue, ledger, run_id
        self.progress, self.world, self.clock = progress, world, world.clock
        self.store, self.hosts, self.stop = Store(settings.home), Hosts(), threading.Event()
        # Importing microdata takes a core and the right to change the home: one source at a time.
        self.importing = threading.Lock()

    def all(self, connectors: Sequence[Connector]) -> list[SourceResult]:
        """Refresh these sources, several at a time; the threads end with the program if it is interrupted."""
        results: dict[str, SourceResult] = {}
        places = threading.Semaphore(MAX_PARALLEL)

        def work(connector: Connector) -> None:
            with places:
                results[connector.name] = self.one(connector)

        threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in connectors]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self.stop.set()
            for thread in threads:
                thread.join(timeout=2)
            raise
        return [results[each.name] for each in connectors]

    def one(self, connector: Connector) -> SourceResult:
        """Refresh one source; whatever happens to it is its own affair."""
        begun = moment(self.clock())
        self.ledger.write(
            "INSERT OR REPLACE INTO source_run (run_id, source, started) VALUES (?, ?, ?)",
            self.run_id,
            connector.name,
            begun,
        )
        fetcher = Fetcher(
            self.ledger,
            self.run_id,
            hosts=self.hosts,
            environment=self.world.environment,
            stop=self.stop,
            clock=self.clock,
        )
        try:
            result = self._refreshed(connector, fetcher)
        except DeferredError as error:
            retry_at = moment(error.until) if error.until else None
            result = SourceResult(connector.name, "deferred", str(error), retry_at)
        except AtlasError as error:
            result = SourceResult(connector.name, "failed", str(error))
        except Exception as error:  # noqa: BLE001  # a connector's fault must not cost the other sources
            what = f"{connector.title} answered what cannot be read ({type(error).__name__}: {error})"
            result = SourceResult(connector.name, "failed", f"{what}; its last good figures stay.")
        if self.stop.is_set():
            return result
        result = replace(result, warnings=tuple(fetcher.warnings), waits=tuple(fetcher.waits))
        self.ledger.write(
            "UPDATE source_run SET ended = ?, outcome = ?, reason = ?, retry_at = ?, rows = ? "
            "WHERE run_id = ? AND source = ?",
            moment(self.clock()),
            result.outcome,
            result.reason,
            result.retry_at,
            result.rows,
            self.run_id,
            connector.name,
        )
        self.progress(Step(connector.name, 1, 1, result.outcome, result))
        return result

    def _refreshed(self, connector: Connector, fetcher: Fetcher) -> SourceResult:
        state = first_state(connector, self.catalogue, self.settings, self.ledger, self.world)
        limit: DeferredError | None = None
        try:
            state = self._asked(connector, fetcher, state)
        except _PartialError as error:
            state, limit = error.state, error.cause
        if connector.reader:
            return self._imported(connector, state)
        parsed = acceptance.known_only(connector.parse(state), self.catalogue)
        if limit is not None and not parsed.observations:
            raise limit
        if found := acceptance.problems(connector, state, parsed, self.catalogue):
            raise SourceError(f"{connector.title}: {'; '.join(found)}. Its last good figures stay.")
        outcome, rows = self._published(connector, state, parsed)
        if limit is not None:
            retry_at = moment(limit.until) if limit.until else None
            return SourceResult(connector.name, "partial", str(limit), retry_at, rows)
        return SourceResult(connector.name, outcome, rows=rows)

    def _asked(self, connector: Connector, fetcher: Fetcher, state: State) -> State:
        """Ask round after round until the plan names nothing new."""
        told = self.ledger.answered(self.run_id, connector.name)
        answers: dict[str, Answer] = {}
        for _ in range(MAX_ROUNDS):
            waiting = [each for each in connector.plan(state) if each.key not in answers]
            if not waiting:
                return state
            for position, request in enumerate(waiting):
                self._report(connector, len(answers), len(answers) + len(waiting) - position, request.key)
                is_told = request.key in told and request.key in state.stored
                if is_told or (request.is_final and request.key in state.stored):
                    answers[request.key] = replace(state.stored[request.key], request=request)
                    continue
                try:
                    answers[request.key] = fetcher.ask(connector, request)
                except DeferredError as error:
                    if connector.accepts_partial and answers:
                        raise _PartialError(replace(state, answers=answers), error) from None
                    raise
            state = replace(state, answers=dict(answers))
        raise SourceError(f"{connector.title} goes on naming further pages; its last good figures stay.")

    def _report(self, connector: Connector, done: int, known: int, words: str) -> None:
        self.ledger.write(
            "UPDATE source_run SET done = ?, planned = ? WHERE run_id = ? AND source = ?",
            done,
            known,
            self.run_id,
            connector.name,
        )
        self.progress(Step(connector.name, done, known, words))

    def _imported(self, connector: Connector, state: State) -> SourceResult:
        """Hand files of microdata to their reader."""
        with self.importing, tempfile.TemporaryDirectory() as folder:
            paths = []
            for key, answer in state.answers.items():
                if answer.sha256 and answer.request.media in {"csv", "zip"}:
                    path = Path(folder) / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    paths.append(self.ledger.unpack(answer.sha256, path))
            result = import_files(str(connector.reader), paths, self.settings)
        outcome: Outcome = "new" if result.is_new else "unchanged"
        return SourceResult(connector.name, outcome, rows=int(result.manifest["accepted"]))

    def _published(self, connector: Connector, state: State, parsed: Parsed) -> tuple[Outcome, int]:
        """Keep the figures as a snapshot and use it, unless they are those in use."""
        rows = {each.claim_id(connector.name): each for each in parsed.observations}
        if connector.keeps_history:
            rows = {each.claim_id(connector.name): each for each in state.previous} | rows
        before = {each.claim_id(connector.name): each for each in state.previous}
        if rows == before:
            return "unchanged", len(rows)
        source, frame = LIVE + connector.name, _frame(rows, self.catalogue)
        digest = hashlib.sha256(frame.to_csv(index=False).encode())
        digest.update(json.dumps(dict(parsed.editions), sort_keys=True).encode())
        snapshot_id = digest.hexdigest()[:16]
        with self.store.unfinished(source) as folder:
            frame.to_parquet(folder / ROWS, index=False)
            manifest = self._manifest(state, parsed, snapshot_id, len(rows))
            (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
            snapshot = self.store.add(folder, source, snapshot_id)
        # The pointer moves last: what a build reads is always in the ledger.
        self.ledger.write(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)",
            source,
            snapshot_id,
            self.run_id,
            moment(self.clock()),
            len(rows),
        )
        self.store.use(snapshot)
        self.store.retain(source)
        reconcile_one(self.ledger, self.store, source)
        return "new", len(rows)

    def _manifest(self, state: State, parsed: Parsed, snapshot_id: str, rows: int) -> dict[str, Any]:
        answers = state.answers.values()
        return {
            "snapshot": snapshot_id,
            "fetched": self.clock().replace(tzinfo=None).isoformat(timespec="seconds"),
            "is_replay": any(is_loopback(each.url) for each in answers),
            "editions": dict(parsed.editions),
            "unmapped": dict(parsed.unmapped),
            "rows": rows,
            "answers": [
                {
                    "key": each.request.key,
                    "url": each.url,
                    "sha256": each.sha256,
                    "fetched": moment(each.fetched_at),
                }
                for each in answers
            ],
        }


@dataclass
class _PartialError(Exception):
    """A limit was reached after some answers that are good by themselves."""

    state: State
    cause: DeferredError
    args: tuple[object, ...] = field(default=(), init=False)


def reconcile_one(ledger: Ledger, store: Store, source: str) -> None:
    """Forget in the ledger the snapshots of a source that are not kept any more."""
    for row in ledger.query("SELECT snapshot FROM snapshot WHERE source = ?", source):
        if store.find(source, row["snapshot"]) is None:
            ledger.write("DELETE FROM snapshot WHERE source = ? AND snapshot = ?", source, row["snapshot"])


def _frame(rows: Mapping[str, Observation], catalogue: Catalogue) -> pd.DataFrame:
    """The figures as they stand in a snapshot: sorted, so that the same figures are the same file."""
    records = [
        {
            **asdict(row),
            "claim_id": claim_id,
            "dataset": catalogue.sources[row.source_id].dataset,
            "attribution": "relayed" if row.relayed_by else "primary",
        }
        for claim_id, row in sorted(rows.items())
    ]
    frame = pd.DataFrame(records).assign(repeats_claim_id=None)
    kinds = {"DOUBLE": "Float64", "BIGINT": "Int64", "VARCHAR": "string", "DATE": "string"}
    return frame.astype({name: kinds[kind.split()[0]] for name, kind in COLUMNS.items()})[list(COLUMNS)]


def _run(ledger: Ledger, names: list[str], clock: Callable[[], datetime]) -> int:
    """The run to go on with, if one was killed a short while ago; else a new one."""
    for row in ledger.query("SELECT * FROM run WHERE ended IS NULL ORDER BY run_id DESC"):
        age = clock() - datetime.fromisoformat(row["started"])
        if age < RESUME_WITHIN:
            return int(row["run_id"])
        ledger.write(
            "UPDATE run SET ended = ?, outcome = 'interrupted' WHERE run_id = ?",
            moment(clock()),
            row["run_id"],
        )
    return ledger.write(
        "INSERT INTO run (started, version, options) VALUES (?, ?, ?)",
        moment(clock()),
        __version__,
        as_json({"sources": names}),
    )


def _build(settings: Settings, result: RefreshResult, accept: bool, progress: Progress) -> RefreshResult:
    """Build from what is there now."""
    try:
        built = build(settings, lambda words: progress(Step(None, 0, 0, words)), accept=accept)
    except HeldError as error:
        return replace(result, held=tuple(error.reasons), error=str(error))
    except DataError as error:
        return replace(result, error=str(error), problems=tuple(error.problems))
    except AtlasError as error:
        return replace(result, error=str(error))
    return replace(result, build=built)


@contextmanager
def _refreshing(home: Path) -> Iterator[None]:
    """Hold the right to refresh this home, one process at a time.

    Raises:
        HomeError: the home cannot be written, or another process is refreshing it.
    """
    path = home.expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / "refresh.lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise HomeError(f"Another process is refreshing {path}; wait until it has finished.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise HomeError(f"Cannot write to {path} ({reason}); name another folder with --home.") from error
    try:
        yield
    finally:
        lock.release()
