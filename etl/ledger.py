"""What live sources answered: the bodies, kept unchanged under their hash, and a ledger of every run.

The ledger is an SQLite file, because readers (the app, `genai-atlas sources`) look at it while a run writes.
A body is on disk before the ledger speaks of it, so a kill at any moment leaves at most a body that nobody
names; `tidy` removes those. Of a large file the part that arrived stays for the next attempt.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etl import __version__
from etl.errors import AtlasError, HomeError
from etl.warehouse import sync

FILE = "ledger.sqlite"
# Requests of runs longer ago are forgotten; what each snapshot was made from stands in its manifest.
KEEP_REQUESTS = timedelta(days=400)
# A part of a large file that nobody went on with for so long is removed.
KEEP_PARTS = timedelta(days=7)
_CHUNK = 1 << 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    run_id INTEGER PRIMARY KEY, started TEXT NOT NULL, ended TEXT, version TEXT NOT NULL,
    options TEXT NOT NULL, outcome TEXT, build TEXT, report TEXT
);
CREATE TABLE IF NOT EXISTS source_run (
    run_id INTEGER NOT NULL REFERENCES run, source TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
    outcome TEXT, reason TEXT, retry_at TEXT, rows INTEGER, done INTEGER, planned INTEGER,
    PRIMARY KEY (run_id, source)
);
CREATE TABLE IF NOT EXISTS request (
    run_id INTEGER NOT NULL REFERENCES run, source TEXT NOT NULL, key TEXT NOT NULL, url TEXT NOT NULL,
    base_kind TEXT NOT NULL, status INTEGER, outcome TEXT NOT NULL, reason TEXT, sha256 TEXT, bytes INTEGER,
    headers TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL, attempts INTEGER NOT NULL,
    PRIMARY KEY (run_id, source, key)
);
CREATE TABLE IF NOT EXISTS stored (
    source TEXT NOT NULL, key TEXT NOT NULL, variant TEXT NOT NULL, url TEXT NOT NULL,
    base_kind TEXT NOT NULL, sha256 TEXT, headers TEXT NOT NULL, fetched TEXT NOT NULL,
    PRIMARY KEY (source, key, variant)
);
CREATE TABLE IF NOT EXISTS part (
    source TEXT NOT NULL, key TEXT NOT NULL, base_kind TEXT NOT NULL, validator TEXT NOT NULL,
    started TEXT NOT NULL, PRIMARY KEY (source, key)
);
CREATE TABLE IF NOT EXISTS snapshot (
    source TEXT NOT NULL, snapshot TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES run, made TEXT NOT NULL,
    rows INTEGER NOT NULL, PRIMARY KEY (source, snapshot)
);
"""


@dataclass(frozen=True)
class Stored:
    """The newest answer to one request.

    Attributes:
        variant: "token" where it was asked with a secret, since validators may differ.
        sha256: of the body; None where the source had nothing there.
    """

    url: str
    base_kind: str
    sha256: str | None
    headers: dict[str, str]
    fetched: datetime


class Ledger:
    """The ledger and the bodies of one home. One process writes at a time; any number reads."""

    def __init__(self, home: Path) -> None:
        """Name the home; nothing is touched."""
        self.path = home.expanduser() / FILE
        self.folder = home.expanduser() / "answers"
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def opened(self) -> Iterator[Ledger]:
        """Open for writing; the file is made where there is none.

        Raises:
            HomeError: the file cannot be written.
            AtlasError: the file is damaged or no ledger.
        """
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, check_same_thread=False, timeout=30)
        try:
            with self._writing():
                self._connection.execute("PRAGMA journal_mode = WAL")
                # A power cut may cost the last entries, never the file; `reconcile` mends the rest.
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(_SCHEMA)
            yield self
        finally:
            with self._lock:
                self._connection.close()
                self._connection = None

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the ledger, for anybody at any time; none where there is none or `problem` says why."""
        if self._connection is not None:
            with self._lock, self._writing():
                return _rows(self._connection, sql, values)
        if not self.path.is_file():
            return []
        try:
            with closing(self._reading()) as connection:
                return _rows(connection, sql, values)
        except sqlite3.Error:
            return []

    def problem(self) -> str | None:
        """Why the ledger cannot be read, although it is there; None where it can."""
        if not self.path.is_file():
            return None
        try:
            with closing(self._reading()) as connection:
                connection.execute("SELECT count(*) FROM run").fetchone()
        except sqlite3.Error as error:
            return f"{self.path} cannot be read ({error}); move it away and refresh again."
        return None

    def write(self, sql: str, *values: object) -> int:
        """Change the ledger in one transaction; returns the id of the row that was added last.

        Raises:
            HomeError: the file cannot be written.
            AtlasError: the file is damaged.
        """
        with self._lock:
            if self._connection is None:
                raise RuntimeError("the ledger is open for reading only")
            with self._writing(), self._connection:
                return self._connection.execute(sql, values).lastrowid or 0

    def _reading(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell what the system or the engine says in a sentence of ours."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise HomeError(
                f"Writing to {self.path.parent} failed ({reason}); what is served stays as it was."
            ) from error
        except sqlite3.DatabaseError as error:
            raise AtlasError(
                f"{self.path} cannot be used ({error}); move it away and refresh again: what is served stays."
            ) from error

    def body(self, sha256: str) -> Path:
        """Where the body with this hash is, packed."""
        return self.folder / sha256[:2] / f"{sha256}.gz"

    def keep(self, unpacked: Path) -> str:
        """Store the bytes of a file under their hash, unless they are there; returns the hash.

        Raises:
            HomeError: the home cannot be written.
        """
        with self._writing():
            with unpacked.open("rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            target = self.body(sha256)
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                packed = unpacked.with_suffix(".gz")
                # No time of packing inside: the same bytes are the same file.
                with unpacked.open("rb") as read, gzip.GzipFile(packed, "wb", 5, mtime=0) as write:
                    shutil.copyfileobj(read, write, _CHUNK)
                sync(packed)
                packed.replace(target)
        return sha256

    @contextmanager
    def part(self, source: str, key: str) -> Iterator[Path]:
        """A file for the body that is arriving; it outlives an interruption only if `begin_part` was called.

        Raises:
            HomeError: the home cannot be written.
        """
        path = self.folder / _part_name(source, key)
        try:
            with self._writing():
                yield path
        finally:
            if not self.query("SELECT 1 FROM part WHERE source = ? AND key = ?", source, key):
                path.unlink(missing_ok=True)
            path.with_suffix(".said").unlink(missing_ok=True)

    def begin_part(self, source: str, key: str, base_kind: str, validator: str, now: datetime) -> None:
        """Note that a large body is arriving which may be gone on with as long as it has this validator."""
        self.write(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)",
            source,
            key,
            base_kind,
            validator,
            moment(now),
        )

    def end_part(self, source: str, key: str) -> None:
        """Forget what arrived of a body: it is whole, or of no use."""
        self.write("DELETE FROM part WHERE source = ? AND key = ?", source, key)

    def validator_of_part(self, source: str, key: str, base_kind: str) -> str | None:
        """By what the source knows the body that is arriving; None where there is no part of it."""
        rows = self.query(
            "SELECT validator FROM part WHERE source = ? AND key = ? AND base_kind = ?",
            source,
            key,
            base_kind,
        )
        return str(rows[0]["validator"]) if rows else None

    def unpack(self, sha256: str, target: Path) -> Path:
        """Write the body with this hash to a file."""
        with gzip.open(self.body(sha256), "rb") as read, target.open("wb") as write:
            shutil.copyfileobj(read, write, _CHUNK)
        return target

    def stored(self, source: str, variant: str | None = None) -> dict[str, Stored]:
        """The newest answers of a source by key, of one variant or of all, as far as they are kept."""
        rows = self.query(
            "SELECT * FROM stored WHERE source = ? AND (? IS NULL OR variant = ?) ORDER BY fetched",
            source,
            variant,
            variant,
        )
        return {
            row["key"]: Stored(
                row["url"],
                row["base_kind"],
                row["sha256"],
                json.loads(row["headers"]),
                datetime.fromisoformat(row["fetched"]),
            )
            for row in rows
            if row["sha256"] is None or self.body(row["sha256"]).is_file()
        }

    def remember(self, source: str, key: str, variant: str, answer: Stored) -> None:
        """Make this the newest answer to a request."""
        self.write(
            "INSERT OR REPLACE INTO stored VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            source,
            key,
            variant,
            answer.url,
            answer.base_kind,
            answer.sha256,
            json.dumps(answer.headers),
            moment(answer.fetched),
        )

    def forget(self, source: str) -> None:
        """Ask a source for everything anew: what is stored of it is damaged."""
        for row in self.query("SELECT sha256 FROM stored WHERE source = ? AND sha256 IS NOT NULL", source):
            self.body(row["sha256"]).unlink(missing_ok=True)
        self.write("DELETE FROM stored WHERE source = ?", source)

    def begin_run(self, options: Mapping[str, object], now: datetime) -> int:
        """Open a run of this program with these options; returns its id."""
        return self.write(
            "INSERT INTO run (started, version, options) VALUES (?, ?, ?)",
            moment(now),
            __version__,
            as_json(options),
        )

    def end_run(
        self,
        run_id: int,
        outcome: str,
        now: datetime,
        *,
        build: str | None = None,
        report: Mapping[str, object] | None = None,
    ) -> None:
        """Close a run with what came of it: the build that it published, and what it tells of each source."""
        self.write(
            "UPDATE run SET ended = ?, outcome = ?, build = ?, report = ? WHERE run_id = ?",
            moment(now),
            outcome,
            build,
            as_json(report) if report else None,
            run_id,
        )

    def answered(self, run_id: int, source: str) -> dict[str, str | None]:
        """Keys that this run has an answer for already, with the hash of the body."""
        rows = self.query(
            "SELECT key, sha256 FROM request WHERE run_id = ? AND source = ? "
            "AND outcome IN ('new', 'unchanged', 'missing')",
            run_id,
            source,
        )
        return {row["key"]: row["sha256"] for row in rows}

    def tidy(self, named: set[str], now: datetime) -> None:
        """Remove what no newest answer, no open run and none of these hashes names, and what is too old."""
        self.write("DELETE FROM request WHERE started < ?", moment(now - KEEP_REQUESTS))
        self.write("DELETE FROM part WHERE started < ?", moment(now - KEEP_PARTS))
        wanted = named | {row["sha256"] for row in self.query("SELECT sha256 FROM stored")}
        wanted |= {
            row["sha256"]
            for row in self.query("SELECT sha256 FROM request JOIN run USING (run_id) WHERE ended IS NULL")
        }
        parts = {_part_name(row["source"], row["key"]) for row in self.query("SELECT source, key FROM part")}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name.split(".")[0] not in wanted and path.name not in parts:
                with suppress(OSError):
                    path.unlink()


def _part_name(source: str, key: str) -> str:
    return f"unfinished-{hashlib.sha256(f'{source} {key}'.encode()).hexdigest()[:24]}.part"


def moment(when: datetime) -> str:
    """A moment as the ledger spells it: UTC, sortable."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds")


def _rows(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def as_json(values: Mapping[str, object]) -> str:
    """Values as one JSON text, for a column of the ledger."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
