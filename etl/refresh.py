"""Brings the figures of live sources up to date: ask -> read -> check -> snapshot, then build and publish.

Sources run side by side, each host is asked by one thread at a time. A source that fails keeps its last good
snapshot. A run that was killed is gone on with: what it was told already is not asked again.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from etl.build import BuildResult, build
from etl.errors import AtlasError, DataError, HomeError, MisuseError, Problem
from etl.gate import HeldError
from etl.ledger import Ledger, as_json, moment
from etl.package import read_package
from etl.salaries import import_files
from etl.settings import Settings
from etl.snapshots import LIVE, Snapshot, Store
from etl.sources import acceptance
from etl.sources.catalogue import Catalogue, read_catalogue
from etl.sources.connector import Answer, Connector, Request, State
from etl.sources.fetch import (
    DeferredError,
    Fetcher,
    Hosts,
    SourceError,
    StoppedError,
    answer_of,
    base_address,
    is_loopback,
)
from etl.sources.figures import Edition, answers_named, previous_of, publish, read_figures, reconcile
from etl.sources.registry import CONNECTORS
from etl.warehouse import Home, open_read_only

LOCK = "refresh.lock"
MAX_PARALLEL = 6
# A run that was killed longer ago is not gone on with: its answers are no news any more.
RESUME_WITHIN = timedelta(hours=6)
# A plan that goes on naming new requests for so many rounds does not end.
MAX_ROUNDS = 1_000

_CLAIM = re.compile(r"\blive-([a-z0-9_]+)-[0-9a-f]{12}\b")

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

    With `accept`, figures are taken although there are far fewer of them than before, and the build is
    published although the gate would hold it back.

    Raises:
        AtlasError: a source is not known, another refresh is running, or the home cannot be used.
        KeyboardInterrupt: as it came; everything that was stored is whole, the next run goes on from there.
    """
    chosen = choose(names, world.connectors)
    catalogue = read_catalogue(read_package(settings.data))
    store, now = Store(settings.home), world.clock()
    with alone(settings.home), Ledger(settings.home).opened() as ledger:
        run_id = _run(ledger, [each.name for each in chosen], world.clock)
        reconcile(ledger, store, run_id, now)
        run = _Run(settings, catalogue, ledger, run_id, accept=accept, progress=progress, world=world)
        result = RefreshResult(run_id, tuple(run.all(chosen)))
        if with_build:
            result = _build(settings, result, accept, progress)
            if result.problems and (faulty := run.put_back(result)):
                result = _build(
                    settings, replace(result, sources=faulty, error=None, problems=()), accept, progress
                )
        outcome = "fine" if result.is_fine else "held" if result.held else "failed"
        build_id = result.build.build.build_id if result.build else None
        ledger.end_run(run_id, outcome, world.clock(), build=build_id, report=result.as_dict())
        ledger.tidy(answers_named(store), now)
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


class _Run:
    """One run over several sources."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        ledger: Ledger,
        run_id: int,
        *,
        accept: bool,
        progress: Progress,
        world: World,
    ) -> None:
        self.settings, self.catalogue, self.ledger, self.run_id = settings, catalogue, ledger, run_id
        self.accept, self.progress, self.world, self.clock = accept, progress, world, world.clock
        self.store, self.hosts, self.stop = Store(settings.home), Hosts(), threading.Event()
        self.counts: dict[str, tuple[int, int]] = {}
        # Importing microdata takes a core and the right to change the home: one source at a time.
        self.importing = threading.Lock()

    def all(self, connectors: Sequence[Connector]) -> list[SourceResult]:
        """Refresh these sources, several at a time; the threads end with the program if it is interrupted."""
        results: dict[str, SourceResult] = {}
        faults: list[BaseException] = []
        places = threading.Semaphore(MAX_PARALLEL)

        def work(connector: Connector) -> None:
            with places:
                try:
                    results[connector.name] = self.one(connector)
                except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that waits
                    faults.append(error)
                    self.stop.set()

        threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in connectors]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                # With a timeout, since Windows does not interrupt what waits for ever.
                while thread.is_alive():
                    thread.join(timeout=0.2)
        except KeyboardInterrupt:
            self.stop.set()
            for thread in threads:
                thread.join(timeout=2)
            raise
        if faults:
            raise faults[0]
        return [results[each.name] for each in connectors]

    def one(self, connector: Connector) -> SourceResult:
        """Refresh one source; whatever happens to it is its own affair."""
        self.ledger.write(
            "INSERT OR REPLACE INTO source_run (run_id, source, started) VALUES (?, ?, ?)",
            self.run_id,
            connector.name,
            moment(self.clock()),
        )
        fetcher = Fetcher(
            self.ledger,
            self.run_id,
            hosts=self.hosts,
            environment=self.world.environment,
            stop=self.stop,
            clock=self.clock,
            watch=lambda request, size, total: self._watched(connector, request, size, total),
        )
        with closing(fetcher):
            result = self._result(connector, fetcher)
        if not self.stop.is_set():
            self._note(result)
        return result

    def put_back(self, result: RefreshResult) -> tuple[SourceResult, ...]:
        """Use the figures of the served build again where new ones break a rule of the build.

        Returns:
            What came of each source then; nothing where no new figures are named as the reason.
        """
        reasons = {
            name: str(problem) for problem in result.problems for name in _CLAIM.findall(problem.message)
        }
        served, used = _served(self.settings), self.store.current()
        changed = {
            each.source
            for each in result.sources
            if each.source in reasons and used.get(LIVE + each.source) != served.get(LIVE + each.source)
        }
        for name in changed:
            if before := served.get(LIVE + name):
                self.store.use(before)
            else:
                self.store.forget(LIVE + name)
        sources = []
        for each in result.sources if changed else ():
            if each.source not in changed:
                sources.append(each)
                continue
            words = f"Its new figures break a rule ({reasons[each.source]}); its last good figures stay."
            sources.append(replace(each, outcome="failed", reason=words, rows=None))
            self._note(sources[-1])
        return tuple(sources)

    def _note(self, result: SourceResult) -> None:
        """Write what came of a source into the ledger, and tell it."""
        self.ledger.write(
            "UPDATE source_run SET ended = ?, outcome = ?, reason = ?, retry_at = ?, rows = ? "
            "WHERE run_id = ? AND source = ?",
            moment(self.clock()),
            result.outcome,
            result.reason,
            result.retry_at,
            result.rows,
            self.run_id,
            result.source,
        )
        self.progress(Step(result.source, 1, 1, result.outcome, result))

    def _result(self, connector: Connector, fetcher: Fetcher) -> SourceResult:
        """What comes of a source, told in any case."""
        name = connector.name
        try:
            result = self._refreshed(connector, fetcher)
        except DeferredError as error:
            result = SourceResult(name, "deferred", str(error), _until(error))
        except AtlasError as error:
            result = SourceResult(name, "failed", str(error))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            self.ledger.forget(name)
            reason = (
                f"What is stored of {connector.title} is damaged; the next refresh asks for all of it anew."
            )
            result = SourceResult(name, "failed", reason)
        except Exception as error:  # noqa: BLE001  # a connector's fault must not cost the other sources
            what = f"{connector.title} answered what cannot be read ({type(error).__name__}: {error})"
            result = SourceResult(name, "failed", f"{what}; its last good figures stay.")
        return replace(result, warnings=tuple(fetcher.warnings), waits=tuple(fetcher.waits))

    def _refreshed(self, connector: Connector, fetcher: Fetcher) -> SourceResult:
        self._keep_apart(connector)
        state = first_state(connector, self.catalogue, self.settings, self.ledger, self.world)
        state, limit = self._asked(connector, fetcher, state)
        if connector.reader:
            if found := connector.check(state, connector.parse(state)):
                raise SourceError(f"{connector.title}: {'; '.join(found)}. What was imported last stays.")
            return self._imported(connector, state)
        parsed = acceptance.known_only(connector.parse(state), self.catalogue)
        if limit is not None and not parsed.observations:
            raise limit
        if found := acceptance.problems(connector, state, parsed, self.catalogue, accept=self.accept):
            raise SourceError(f"{connector.title}: {'; '.join(found)}. Its last good figures stay.")
        if self.stop.is_set():
            raise StoppedError("The run was stopped.")
        edition = Edition(connector, parsed, state.answers, self.clock())
        is_new, rows = publish(self.store, self.ledger, self.run_id, edition, self.catalogue)
        if limit is not None:
            return SourceResult(connector.name, "partial", str(limit), _until(limit), rows)
        return SourceResult(connector.name, "new" if is_new else "unchanged", rows=rows)

    def _keep_apart(self, connector: Connector) -> None:
        """Figures of a test server and of the live source never meet in one home."""
        figures = read_figures(self.store, connector.name)
        is_replay = is_loopback(base_address(connector, "", self.world.environment))
        if figures and figures.manifest["is_replay"] != is_replay:
            kept, asked = (
                ("a test server", "the live source") if is_replay else ("the live source", "a test server")
            )
            raise SourceError(
                f"{connector.title}: the figures here come from {asked}, and {kept} would be asked; "
                "name another folder with --home."
            )

    def _asked(
        self, connector: Connector, fetcher: Fetcher, state: State
    ) -> tuple[State, DeferredError | None]:
        """Ask round after round until the plan names nothing new, or to a limit, if a part is good."""
        told = self.ledger.answered(self.run_id, connector.name)
        answers: dict[str, Answer] = {}
        for _ in range(MAX_ROUNDS):
            waiting = [each for each in connector.plan(state) if each.key not in answers]
            if not waiting:
                return state, None
            for position, request in enumerate(waiting):
                self._report(connector, len(answers), len(answers) + len(waiting) - position, request.key)
                stored = state.stored.get(request.key)
                is_told = request.key in told and stored and (told[request.key] or "") == stored.sha256
                if stored and (is_told or request.is_final):
                    answers[request.key] = replace(stored, request=request)
                    continue
                try:
                    answers[request.key] = fetcher.ask(connector, request)
                except DeferredError as error:
                    if connector.accepts_partial and answers:
                        return replace(state, answers=answers), error
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
        self.counts[connector.name] = done, known
        self.progress(Step(connector.name, done, known, words))

    def _watched(self, connector: Connector, request: Request, size: int, total: int | None) -> None:
        of = f" of {total / 1e6:,.1f}" if total else ""
        self.progress(
            Step(connector.name, *self.counts[connector.name], f"{request.key}, {size / 1e6:,.1f}{of} MB")
        )

    def _imported(self, connector: Connector, state: State) -> SourceResult:
        """Hand files of microdata to their reader."""
        with self.importing, tempfile.TemporaryDirectory() as folder:
            paths = []
            for key, answer in state.answers.items():
                if answer.sha256 and answer.request.media in {"csv", "zip"}:
                    path = Path(folder) / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    paths.append(self.ledger.unpack(answer.sha256, path))
            is_replay = any(is_loopback(answer.url) for answer in state.answers.values())
            fetched = self.clock().replace(tzinfo=None).isoformat(timespec="seconds")
            origin = {"is_replay": is_replay, "fetched": fetched}
            result = import_files(str(connector.reader), paths, self.settings, origin=origin)
        outcome: Outcome = "new" if result.is_new else "unchanged"
        return SourceResult(connector.name, outcome, rows=int(result.manifest["accepted"]))


def _until(error: DeferredError) -> str | None:
    return moment(error.until) if error.until else None


def _served(settings: Settings) -> dict[str, Snapshot]:
    """The snapshots of live sources that the served build was made from, as far as they are kept."""
    try:
        build, _ = Home(settings.home).best()
    except HomeError:
        return {}
    with open_read_only(build.path) as connection:
        names = connection.execute(
            "SELECT name FROM meta.input WHERE name LIKE 'snapshots/live-%' AND name LIKE '%.parquet'"
        ).fetchall()
    folders = [name.split("/")[1].rsplit("-", 1) for (name,) in names]
    found = {source: Store(settings.home).find(source, snapshot_id) for source, snapshot_id in folders}
    return {source: snapshot for source, snapshot in found.items() if snapshot}


def _run(ledger: Ledger, names: list[str], clock: Callable[[], datetime]) -> int:
    """The run to go on with, if one was killed a short while ago; else a new one."""
    options = {"sources": names}
    for row in ledger.query("SELECT * FROM run WHERE ended IS NULL ORDER BY run_id DESC"):
        age = clock() - datetime.fromisoformat(row["started"])
        if age < RESUME_WITHIN:
            ledger.write("UPDATE run SET options = ? WHERE run_id = ?", as_json(options), row["run_id"])
            return int(row["run_id"])
        ledger.end_run(row["run_id"], "interrupted", clock())
    return ledger.begin_run(options, clock())


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


def is_refreshing(home: Path) -> bool:
    """Whether a process is refreshing this home. Nothing is made where there is no home."""
    path = home.expanduser() / LOCK
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the right to refresh this home, one process at a time.

    Raises:
        HomeError: the home cannot be written, or another process is refreshing it.
    """
    path = home.expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Not zero: a server that looks whether a refresh is running holds the lock for a moment.
        lock = FileLock(path / LOCK, timeout=0.5)
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
