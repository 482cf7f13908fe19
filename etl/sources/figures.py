"""The figures of live sources in the home: snapshots that the ledger knows, one of each source in use."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from pyarrow import parquet

from etl.errors import AtlasError
from etl.ledger import Ledger, moment
from etl.settings import Settings
from etl.snapshots import LIVE, MANIFEST, ROWS, Snapshot, Store
from etl.sources.catalogue import Catalogue
from etl.sources.connector import Answer, Connector, Observation, Parsed
from etl.sources.fetch import is_loopback
from etl.sources.staging import COLUMNS

_FIELDS = tuple(Observation.__dataclass_fields__)


@dataclass(frozen=True)
class Figures:
    """The figures of one snapshot, by claim id, and what its manifest says of them."""

    rows: dict[str, Observation]
    manifest: dict[str, Any]
    is_in_use: bool


def read_figures(store: Store, connector: str) -> Figures | None:
    """The figures in use of a source; where that snapshot is damaged, those of the newest one that is not."""
    source = LIVE + connector
    if not store.is_used(source):
        return None
    used = store.current().get(source)
    for snapshot in [*([used] if used else []), *store.kept(source)]:
        with suppress(AtlasError, OSError, ValueError, TypeError):
            records = parquet.read_table(snapshot.content).to_pylist()
            # A snapshot of an earlier version of this program may lack a field.
            rows = [Observation(**{name: row.get(name) for name in _FIELDS}) for row in records]
            found = {row.claim_id(connector): row for row in rows}
            return Figures(found, snapshot.manifest, is_in_use=snapshot == used)
    return None


def previous_of(settings: Settings, connector: Connector) -> tuple[Observation, ...]:
    """The figures of a source that were accepted last."""
    figures = read_figures(Store(settings.home), connector.name)
    return tuple(figures.rows.values()) if figures else ()


@dataclass(frozen=True)
class Edition:
    """What a run read from one source and found good."""

    connector: Connector
    parsed: Parsed
    answers: Mapping[str, Answer]
    fetched: datetime


def publish(
    store: Store, ledger: Ledger, run_id: int, edition: Edition, catalogue: Catalogue
) -> tuple[bool, int]:
    """Keep the figures as a snapshot and use it, unless they are those in use.

    Returns:
        Whether they are new, and how many there are.
    """
    connector, before = edition.connector, read_figures(store, edition.connector.name)
    rows = {row.claim_id(connector.name): row for row in edition.parsed.observations}
    editions = dict(edition.parsed.editions)
    if connector.keeps_history and before:
        known = {name: row for name, row in before.rows.items() if row.source_id in catalogue.sources}
        rows, editions = known | rows, before.manifest["editions"] | editions
    if before and before.is_in_use and rows == before.rows:
        return False, len(rows)
    source, frame = LIVE + connector.name, _frame(rows, catalogue)
    digest = hashlib.sha256(frame.to_csv(index=False).encode())
    digest.update(json.dumps(editions, sort_keys=True).encode())
    snapshot_id = digest.hexdigest()[:16]
    with store.unfinished(source) as folder:
        frame.to_parquet(folder / ROWS, index=False)
        manifest = _manifest(edition, editions, snapshot_id, len(rows))
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        snapshot = store.add(folder, source, snapshot_id)
    # The pointer moves last: what a build reads is always in the ledger.
    _enter(ledger, run_id, snapshot, manifest, edition.fetched)
    store.use(snapshot)
    store.retain(source)
    _forget_removed(ledger, store, source)
    return True, len(rows)


def reconcile(ledger: Ledger, store: Store, run_id: int, now: datetime) -> None:
    """Make snapshots and ledger tell the same after a kill: neither has an entry that the other lacks.

    A snapshot that the ledger does not know is one that a killed run did not finish, and goes; unless it is
    in use: then it is the ledger that was lost.
    """
    entries = {
        (row["source"], row["snapshot"]) for row in ledger.query("SELECT source, snapshot FROM snapshot")
    }
    used = store.current().values()
    for snapshot in _all(store):
        if (snapshot.source, snapshot.snapshot_id) in entries:
            continue
        if snapshot in used:
            _enter(ledger, run_id, snapshot, snapshot.manifest, now)
        else:
            shutil.rmtree(snapshot.folder, ignore_errors=True)
    for source in {source for source, _ in entries}:
        _forget_removed(ledger, store, source)


def answers_named(store: Store) -> set[str]:
    """Hashes of the answers that the kept snapshots were made from."""
    named = set()
    for snapshot in _all(store):
        with suppress(AtlasError):
            named |= {each["sha256"] for each in snapshot.manifest["answers"]}
    return named


def _all(store: Store) -> Iterator[Snapshot]:
    for source in sorted({folder.name.rsplit("-", 1)[0] for folder in store.folder.glob(f"{LIVE}*-*")}):
        yield from store.kept(source)


def _enter(
    ledger: Ledger, run_id: int, snapshot: Snapshot, manifest: Mapping[str, Any], now: datetime
) -> None:
    ledger.write(
        "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)",
        snapshot.source,
        snapshot.snapshot_id,
        run_id,
        moment(now),
        manifest["rows"],
    )


def _forget_removed(ledger: Ledger, store: Store, source: str) -> None:
    """Forget in the ledger the snapshots of a source that are not kept any more."""
    for row in ledger.query("SELECT snapshot FROM snapshot WHERE source = ?", source):
        if store.find(source, row["snapshot"]) is None:
            ledger.write("DELETE FROM snapshot WHERE source = ? AND snapshot = ?", source, row["snapshot"])


def _manifest(edition: Edition, editions: dict[str, str], snapshot_id: str, rows: int) -> dict[str, Any]:
    answers = edition.answers.values()
    return {
        "snapshot": snapshot_id,
        "fetched": edition.fetched.replace(tzinfo=None).isoformat(timespec="seconds"),
        "is_replay": any(is_loopback(each.url) for each in answers),
        "editions": editions,
        "unmapped": dict(edition.parsed.unmapped),
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
