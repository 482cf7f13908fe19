"""Snapshots in the home: content-addressed folders and, for each source, the name of the one in use.

What was imported stands under the name of its reader, what was fetched from a live source under `live-…`.

A snapshot is written beside the others and appears by one rename; then the pointer of its source moves by
another. A crash in between leaves the old one in use and a folder that the next import clears away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.errors import AtlasError
from etl.warehouse import sync

LIVE = "live-"
CELLS, ROWS, REJECTS, MANIFEST = "cells.parquet", "rows.parquet", "rejects.parquet", "manifest.json"
SHIPPED = Path("salaries")
KEEP = 3
_UNFINISHED = "unfinished-"


@dataclass(frozen=True)
class Snapshot:
    """Cells or rows of one source, with the manifest that tells where they come from."""

    source: str
    folder: Path
    is_shipped: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it was fetched from a live source."""
        return self.source.startswith(LIVE)

    @property
    def snapshot_id(self) -> str:
        """The hash in its name."""
        return self.folder.name.rsplit("-", 1)[-1]

    @property
    def content(self) -> Path:
        """The cells, or the rows of a source that has none."""
        return self.folder / (CELLS if (self.folder / CELLS).is_file() else ROWS)

    @property
    def manifest(self) -> dict[str, Any]:
        """What was read, taken and not taken.

        Raises:
            AtlasError: the snapshot is damaged.
        """
        try:
            found: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            again = f"refresh {self.source.removeprefix(LIVE)}" if self.is_live else f"import {self.source}"
            raise AtlasError(f"{self.folder} is damaged; {again} again.") from error
        return found

    def input_hashes(self) -> dict[str, str]:
        """SHA-256 of its files by the name under which a build lists them."""
        prefix = f"{SHIPPED.as_posix()}" if self.is_shipped else f"snapshots/{self.folder.name}"
        return {
            f"{prefix}/{name}": hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
            for name in (self.content.name, MANIFEST)
        }


class Store:
    """The snapshots of one home."""

    def __init__(self, home: Path) -> None:
        """Name the home; nothing is touched."""
        self.folder = home.expanduser() / "snapshots"
        self.rejects = home.expanduser() / "rejects"

    def current(self) -> dict[str, Snapshot]:
        """The snapshot in use of every source that was imported or refreshed."""
        found = {}
        for pointer in sorted(self.folder.glob("*.current")):
            source = pointer.name.removesuffix(".current")
            folder = self.folder / pointer.read_text(encoding="utf-8").strip()
            if (folder / MANIFEST).is_file():
                found[source] = Snapshot(source, folder)
        return found

    def is_used(self, source: str) -> bool:
        """Whether a snapshot of the source is in use, be it damaged or gone."""
        return (self.folder / f"{source}.current").is_file()

    def find(self, source: str, snapshot_id: str) -> Snapshot | None:
        """The snapshot of that id, whether it is in use or not."""
        folder = self.folder / f"{source}-{snapshot_id}"
        return Snapshot(source, folder) if (folder / MANIFEST).is_file() else None

    @contextmanager
    def unfinished(self, source: str) -> Iterator[Path]:
        """A folder for a new snapshot; gone afterwards unless it was published. One writer a source."""
        folder = self.folder / f"{_UNFINISHED}{source}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, unfinished: Path, source: str, snapshot_id: str) -> Snapshot:
        """Put a finished snapshot among the others and use it."""
        snapshot = self.add(unfinished, source, snapshot_id)
        self.use(snapshot)
        self.retain(source)
        return snapshot

    def add(self, unfinished: Path, source: str, snapshot_id: str) -> Snapshot:
        """Put a finished snapshot among the others; nothing uses it yet."""
        target = self.folder / f"{source}-{snapshot_id}"
        for path in unfinished.iterdir():
            sync(path)
        if target.exists():
            shutil.rmtree(target)
        unfinished.rename(target)
        sync(self.folder)
        return Snapshot(source, target)

    def keep_rejects(self, rejects: Path, source: str) -> Path:
        """Keep the rejected rows of an import that was refused, in place of those of the one before."""
        target = self.rejects / f"{source}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        rejects.replace(target)
        return target

    def forget_rejects(self, source: str) -> None:
        """Forget the rejected rows of a refused import, once another one was taken."""
        (self.rejects / f"{source}.parquet").unlink(missing_ok=True)

    def use(self, snapshot: Snapshot) -> None:
        """Make a snapshot the one in use of its source."""
        following = self.folder / f"{snapshot.source}.next"
        following.write_text(snapshot.folder.name + "\n", encoding="utf-8")
        sync(following)
        following.replace(self.folder / f"{snapshot.source}.current")

    def forget(self, source: str) -> bool:
        """Stop using what was imported of a source; returns whether there was anything."""
        pointer = self.folder / f"{source}.current"
        was_there = pointer.is_file()
        pointer.unlink(missing_ok=True)
        return was_there

    def retain(self, source: str) -> None:
        """Remove the snapshots of a source but for the newest and the one in use."""
        used = self.current().get(source)
        for snapshot in self.kept(source)[KEEP:]:
            if snapshot != used:
                with suppress(OSError):
                    shutil.rmtree(snapshot.folder)

    def kept(self, source: str) -> list[Snapshot]:
        """All snapshots of a source, newest first."""
        folders = [each for each in self.folder.glob(f"{source}-*") if each.is_dir()]
        newest_first = sorted(folders, key=lambda each: each.stat().st_mtime, reverse=True)
        return [Snapshot(source, folder) for folder in newest_first]


def snapshots_for_build(data: Path, home: Path) -> list[Snapshot]:
    """What a build reads: of every source the snapshot in use, else the one that ships."""
    found = {}
    if (data / SHIPPED / CELLS).is_file():
        shipped = Snapshot("", data / SHIPPED, is_shipped=True)
        source = str(shipped.manifest["source"])
        found[source] = Snapshot(source, data / SHIPPED, is_shipped=True)
    found.update(Store(home).current())
    return [found[source] for source in sorted(found)]
