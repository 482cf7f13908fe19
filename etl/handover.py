"""Takes files of a live source that somebody fetched by hand, as if the source had just answered with them.

What is published under one address must not mean two things: a file read at its address by a refresh and the
same file read from a folder, without network, give the same figures with the same claims.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from python_calamine import CalamineError

from etl.errors import ImportRefusedError
from etl.ledger import Ledger, moment
from etl.microdata.spool import refuse_archive
from etl.package import read_package
from etl.refresh import RefreshResult, SourceResult, World, alone, first_state
from etl.settings import Settings
from etl.snapshots import Store
from etl.sources import acceptance
from etl.sources.catalogue import read_catalogue
from etl.sources.connector import Answer, Connector, Parsed, Request, State
from etl.sources.figures import Edition, publish, read_figures, reconcile
from etl.sources.registry import CONNECTORS


def answers_of(source: str, paths: Iterable[Path]) -> dict[Path, Request]:
    """The requests that these files are the answers to, going by their names; none if they are other files.

    Raises:
        ImportRefusedError: some are, and others are not.
    """
    connector = CONNECTORS.get(source)
    if connector is None or connector.request_of is None:
        return {}
    asked = {path: connector.request_of(path.name) for path in paths}
    found = {path: request for path, request in asked.items() if request}
    if found and len(found) < len(asked):
        others = ", ".join(path.name for path in asked if path not in found)
        raise ImportRefusedError(
            f"A refresh would fetch {_names(found)}, and not {others}; import them one after the other."
        )
    return found


def take_files(source: str, files: Mapping[Path, Request], settings: Settings, world: World) -> SourceResult:
    """Take the figures of these files; they join or replace those of the source that are there.

    Raises:
        ImportRefusedError: they cannot be read or cannot be right; nothing was changed.
        HomeError: the home cannot be written, or is being refreshed.
    """
    connector, now = world.connectors[source], world.clock()
    catalogue = read_catalogue(read_package(settings.data))
    store = Store(settings.home)
    with alone(settings.home), Ledger(settings.home).opened() as ledger:
        run_id = ledger.begin_run({"sources": [source], "files": [path.name for path in files]}, now)
        reconcile(ledger, store, run_id, now)
        outcome, report = "failed", None
        try:
            state = first_state(connector, catalogue, settings, ledger, world)
            state = replace(state, answers=_kept(connector, files, settings.home, ledger, now))
            parsed = acceptance.known_only(_parsed(connector, state, files), catalogue)
            if found := acceptance.problems(connector, state, parsed, catalogue):
                raise ImportRefusedError(f"{_names(files)}: {'; '.join(found)}. Nothing was changed.")
            before = read_figures(store, source)
            if before and before.manifest["is_replay"]:
                raise ImportRefusedError(
                    "The figures here come from a test server; name another folder with --home."
                )
            editions = before.manifest["editions"] if before else {}
            # An older file beside newer figures does not make them older.
            newest = {name: max(day, editions.get(name, "")) for name, day in parsed.editions.items()}
            edition = Edition(connector, replace(parsed, editions=newest), state.answers, now)
            is_new, rows = publish(store, ledger, run_id, edition, catalogue)
            result = SourceResult(source, "new" if is_new else "unchanged", rows=rows)
            # With only some of its files the source does not count as read.
            if all(each.key in state.answers for each in connector.plan(state)):
                ledger.write(
                    "INSERT INTO source_run (run_id, source, started, ended, outcome, rows) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    run_id,
                    source,
                    moment(now),
                    moment(world.clock()),
                    result.outcome,
                    rows,
                )
            outcome, report = "fine", RefreshResult(run_id, (result,)).as_dict()
        finally:
            ledger.end_run(run_id, outcome, world.clock(), report=report)
    return result


def _kept(
    connector: Connector, files: Mapping[Path, Request], home: Path, ledger: Ledger, now: datetime
) -> dict[str, Answer]:
    """The files as answers, kept among those that were fetched."""
    answers = {}
    with tempfile.TemporaryDirectory(dir=home) as folder:
        for path, request in files.items():
            copy = Path(folder) / path.name
            try:
                shutil.copyfile(path, copy)
            except OSError as error:
                raise ImportRefusedError(f"{path} cannot be read ({error.strerror or error}).") from error
            if zipfile.is_zipfile(copy):
                with zipfile.ZipFile(copy) as archive:
                    refuse_archive(copy, archive)
            sha256 = ledger.keep(copy)
            # Where it is published: what stands there is what is meant, wherever this copy comes from.
            url = f"{connector.bases['']}{request.path}"
            answers[request.key] = Answer(request, ledger.body(sha256), sha256, url, now)
    return answers


def _parsed(connector: Connector, state: State, files: Mapping[Path, Request]) -> Parsed:
    try:
        return connector.parse(state)
    except (ValueError, KeyError, zipfile.BadZipFile, CalamineError) as error:
        raise ImportRefusedError(f"{_names(files)} cannot be read ({error}); fetch it again.") from error


def _names(files: Mapping[Path, Request]) -> str:
    return ", ".join(path.name for path in files)
