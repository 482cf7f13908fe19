"""Builds on disk: immutable files, the pointer CURRENT, publication by atomic rename, rollback, retention.

Nobody ever opens a published file for writing, so readers never wait and never see half a build. A crash at
any moment leaves the old CURRENT or the new one; what it left half done, the next writer finishes or removes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from etl.errors import AtlasError, DamagedBuildError, HomeError, first_line

CURRENT = "CURRENT"
_NAME = re.compile(r"build-(?P<stamp>\d{8}T\d{9}Z)-(?P<hash>[0-9a-f]{12})\.duckdb")
_BUILD_ID = re.compile(r"(?P<stamp>\d{8}T\d{9}Z)-(?P<hash>[0-9a-f]{12})")
_UNFINISHED = "unfinished-"
# What tells two builds of the same content apart is when and from which files they were made.
_NOT_CONTENT = {("meta", "build"), ("meta", "input")}
# Without replacements, a misspelt table name is an error and never some local variable.
CONNECTION_CONFIG: dict[str, str | bool | int | float | list[str]] = {"python_enable_replacements": False}


@dataclass(frozen=True)
class Build:
    """One published build file."""

    path: Path
    stamp: str
    content_hash: str
    is_current: bool

    @property
    def build_id(self) -> str:
        """The name that people use: time of the build and start of its content hash."""
        return f"{self.stamp}-{self.content_hash}"

    @property
    def built_at(self) -> datetime:
        """When it was built (UTC)."""
        return datetime.strptime(self.stamp + "000", "%Y%m%dT%H%M%S%fZ000").replace(tzinfo=UTC)

    def as_dict(self) -> dict[str, object]:
        """JSON-ready values."""
        return {
            "build": self.build_id,
            "built_at": self.built_at.isoformat(timespec="seconds"),
            "content_hash": self.content_hash,
            "bytes": self.path.stat().st_size,
            "current": self.is_current,
        }


class Home:
    """The folder with the builds. Reading never creates it; writing does."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is touched."""
        self.path = path.expanduser()
        self.folder = self.path / "builds"
        self._pointer = self.path / CURRENT
        self._next_pointer = self.path / f"{CURRENT}.new"

    def builds(self) -> list[Build]:
        """All published builds, newest first."""
        current = self.pointer()
        named = ((path, _NAME.fullmatch(path.name)) for path in self.folder.glob("build-*.duckdb"))
        found = [
            Build(path, match["stamp"], match["hash"], path.name == current) for path, match in named if match
        ]
        return sorted(found, key=lambda build: build.path.name, reverse=True)

    def current(self) -> Build | None:
        """The build that CURRENT names, if its file is there."""
        return next((build for build in self.builds() if build.is_current), None)

    def is_interrupted(self) -> bool:
        """Whether a process died while it moved CURRENT to a build; the next writer finishes that."""
        return self._interrupted() is not None

    def best(self, objection: Callable[[Build], str | None] = lambda _: None) -> tuple[Build, str | None]:
        """The build to serve, and why it is not the one that CURRENT names, if it is not.

        Args:
            objection: why a sound build must not be served all the same, if so.

        Raises:
            HomeError: no build can be served.
        """
        candidates = sorted(self.builds(), key=lambda build: not build.is_current)
        reason = None
        if self.pointer() is None:
            reason = f"{self._pointer} is missing"
        elif not any(build.is_current for build in candidates):
            reason = f"{self._pointer} names no build that is there"
        for build in candidates:
            try:
                verify(build)
            except DamagedBuildError as error:
                reason = reason or str(error)
                continue
            if against := objection(build):
                reason = reason or against
                continue
            return build, None if build.is_current else reason
        why = reason if candidates else "there is none yet"
        raise HomeError(f"No build in {self.folder} can be served: {why}. Run genai-atlas build.")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to change this home, one process at a time, and clear up after one that was killed.

        Raises:
            HomeError: the folder cannot be written, or another process is writing.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / "lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise HomeError(
                f"Another process is changing {self.path}; try again when it has finished."
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise HomeError(
                f"Cannot write to {self.path} ({reason}); name another folder with --home."
            ) from error
        try:
            self._finish_interrupted()
            self._remove_unfinished()
            yield
        except (OSError, duckdb.IOException) as error:
            # DuckDB puts what the system said, like "No space left on device", last.
            reason = getattr(error, "strerror", None) or first_line(error).rstrip(".").rsplit(": ", 1)[-1]
            raise HomeError(
                f"Writing to {self.path} failed ({reason}); the builds there are as before."
            ) from error
        finally:
            with suppress(OSError):
                self._remove_unfinished()
            lock.release()

    def new_file(self) -> Path:
        """Where an unfinished build is written. Call it while `writing`."""
        return self.folder / f"{_UNFINISHED}{os.getpid()}.duckdb"

    def publish(self, unfinished: Path, content_hash: str, made: datetime) -> Build:
        """Turn an unfinished file into a build and point CURRENT at it. Call it while `writing`."""
        stamp = made.strftime("%Y%m%dT%H%M%S") + f"{made.microsecond // 1000:03d}Z"
        target = self.folder / f"build-{stamp}-{content_hash[:12]}.duckdb"
        sync(unfinished)
        # Written first: after a crash it tells a build not yet current from one that was rolled back.
        self._write_next_pointer(target.name)
        unfinished.rename(target)
        sync(self.folder)
        self._move_pointer()
        return Build(target, stamp, content_hash[:12], is_current=True)

    def find(self, build_id: str) -> Build:
        """The build of that id or content hash.

        Raises:
            AtlasError: there is none.
        """
        for build in self.builds():
            if build_id in (build.build_id, build.content_hash):
                return build
        raise AtlasError(
            f"There is no build '{build_id}' in {self.folder}; genai-atlas builds lists those there are."
        )

    def before_current(self) -> Build:
        """The newest build older than the one that CURRENT names.

        Raises:
            AtlasError: there is none.
        """
        pointed = self.pointer()
        for build in self.builds():
            if pointed is None or build.path.name < pointed:
                return build
        raise AtlasError(
            f"There is no build before the current one in {self.folder}; "
            "genai-atlas builds lists those there are."
        )

    def rollback(self, build_id: str | None = None) -> Build:
        """Point CURRENT at an earlier build: the one named by id or content hash, else the one before.

        Raises:
            AtlasError: there is no such build.
            DamagedBuildError: the build is there but cannot be read.
        """
        chosen = self.find(build_id) if build_id else self.before_current()
        verify(chosen)
        with self.writing():
            self._write_next_pointer(chosen.path.name)
            self._move_pointer()
        return replace(chosen, is_current=True)

    def retain(self, keep: int) -> list[Build]:
        """Remove all but the newest `keep` builds, never the current one. Call it while `writing`."""
        removed = []
        for build in self.builds()[keep:]:
            if build.is_current:
                continue
            # Windows does not remove a file that a reader has open; a later build will.
            with suppress(OSError):
                build.path.unlink()
                removed.append(build)
        return removed

    def pointer(self) -> str | None:
        """The file name that CURRENT holds, whether or not that file is there."""
        return _read_line(self._pointer)

    def _interrupted(self) -> Build | None:
        pointed = _read_line(self._next_pointer)
        return next((build for build in self.builds() if build.path.name == pointed), None)

    def _finish_interrupted(self) -> None:
        build = self._interrupted()
        if build and is_sound(build):
            self._move_pointer()
        self._next_pointer.unlink(missing_ok=True)

    def _remove_unfinished(self) -> None:
        for leftover in self.folder.glob(f"{_UNFINISHED}*"):
            leftover.unlink()

    def _write_next_pointer(self, name: str) -> None:
        self._next_pointer.write_text(name + "\n", encoding="utf-8")
        sync(self._next_pointer)

    def _move_pointer(self) -> None:
        self._next_pointer.replace(self._pointer)
        sync(self.path)


def quoted(text: object) -> str:
    """A text, or a path, as it stands between quotes in a statement."""
    return str(text).replace("'", "''")


def connect(
    path: Path | str = ":memory:",
    *,
    read_only: bool = False,
    config: Mapping[str, str | bool | int | float | list[str]] | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection as all of the pipeline wants it; `config` adds options of the engine."""
    connection = duckdb.connect(path, read_only=read_only, config={**CONNECTION_CONFIG, **(config or {})})
    # The engine would draw the progress of a slow query into what a command answers on stdout.
    connection.execute("SET enable_progress_bar = false")
    return connection


def built_at(build_id: str) -> datetime | None:
    """When the build of that id was made (UTC), whether it is kept or not; None where the id is none."""
    match = _BUILD_ID.fullmatch(build_id)
    if match is None:
        return None
    try:
        return Build(Path(), match["stamp"], match["hash"], is_current=False).built_at
    except ValueError:
        return None


def open_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can read this build and nothing else; take a cursor from it for every query.

    Raises:
        DamagedBuildError: the file is missing or is no warehouse.
    """
    try:
        return connect(path, read_only=True)
    except duckdb.Error as error:
        raise DamagedBuildError(f"{path.name} cannot be opened ({first_line(error).rstrip('.')})") from error


def verify(build: Build) -> None:
    """Read the whole build and compare its content with its name.

    Raises:
        DamagedBuildError: it cannot be read, or something else is in it.
    """
    connection = open_read_only(build.path)
    try:
        found = content_hash(connection)
    except duckdb.Error as error:
        raise DamagedBuildError(
            f"{build.path.name} cannot be read ({first_line(error).rstrip('.')})"
        ) from error
    finally:
        connection.close()
    if not found.startswith(build.content_hash):
        raise DamagedBuildError(f"{build.path.name} does not hold what its name says")


def is_sound(build: Build) -> bool:
    """Whether the build can be read and holds what its name says."""
    try:
        verify(build)
    except DamagedBuildError:
        return False
    return True


def is_replayed(build: Build) -> bool:
    """Whether some of its figures come from a test server instead of the source that they name."""
    try:
        with open_read_only(build.path) as connection:
            found = connection.execute("SELECT bool_or(is_replay) FROM live_snapshot").fetchone()
    except duckdb.CatalogException:  # a build of the time before live sources
        return False
    return bool(found and found[0])


def content_hash(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all definitions and rows, whatever their order; not of when and from where it was built."""
    tables = connection.execute(
        "SELECT schema_name, table_name, sql FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT temporary ORDER BY ALL"
    ).fetchall()
    digest = hashlib.sha256()
    for schema, table, definition in tables:
        if (schema, table) in _NOT_CONTENT:
            continue
        rows = connection.execute(
            "SELECT count(*), sum(md5_number_lower(t::VARCHAR)::HUGEINT)::VARCHAR "  # noqa: S608  # names from the catalog
            f'FROM "{schema}"."{table}" AS t'
        ).fetchone()
        digest.update(repr((schema, table, definition, rows)).encode())
    return digest.hexdigest()


def _read_line(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def sync(path: Path) -> None:
    """Make a file or folder survive a power cut, where the system can."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
