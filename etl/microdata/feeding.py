"""Hands the files of an import over piece by piece; tells how far it is and which files cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from etl.errors import ImportRefusedError, NotOfSourceError
from etl.microdata.spool import Piece, pieces

MAX_PROBLEMS_TOLD = 5

# Bytes read so far, of how many, and what is being done.
Progress = Callable[[int, int, str], None]


class Feeding:
    """The files of an import on their way to whoever takes their pieces.

    Attributes:
        left_aside: files that are none of the source, by name, with what they lack.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        progress: Progress = lambda *_: None,
        beside: Collection[Path] = (),
        hashes: Mapping[Path, str] | None = None,
    ) -> None:
        """Name the files.

        One of `beside`, or a member of an archive, that has next to none of the columns is left aside: it is
        a schema, or notes. Two with the same of `hashes` would count twice.
        """
        self.left_aside: dict[str, str] = {}
        self._paths, self._beside, self._hashes, self._progress = paths, beside, hashes or {}, progress
        self._taken: dict[str, Path] = {}
        self._total, self._read = sum(path.stat().st_size for path in paths), 0

    def feed(self, take: Callable[[int, Path, Piece], None], scratch: Path) -> None:
        """Hand over every piece with the number of its file, one file after the other.

        Raises:
            ImportRefusedError: files cannot be used; all of them are named.
        """
        problems: list[str] = []
        numbers: dict[tuple[Path, str], int] = {}
        for path in self._paths:
            try:
                for piece in pieces(path, scratch):
                    number = numbers.setdefault((path, piece.file), len(numbers))
                    self._one(take, number, path, piece)
                    self.tell(f"Reading {piece.file}", piece.read_bytes)
                    if problems:
                        break  # whether the other files can be used is all that is left to find out
            except ImportRefusedError as error:
                problems.append(str(error))
            self._read += path.stat().st_size
        if not problems and len(self.left_aside) == len(numbers):
            problems = list(self.left_aside.values())
        if problems:
            more = len(problems) - MAX_PROBLEMS_TOLD
            told = [*problems[:MAX_PROBLEMS_TOLD], *([f"And {more:,} more."] if more > 0 else [])]
            raise ImportRefusedError(" ".join(told))

    def tell(self, words: str, read_bytes: int = 0) -> None:
        """Tell how far it is."""
        self._progress(min(self._read + read_bytes, self._total), self._total, words)

    def _one(self, take: Callable[[int, Path, Piece], None], number: int, path: Path, piece: Piece) -> None:
        try:
            take(number, path, piece)
        except NotOfSourceError as error:
            is_member = piece.file != path.name
            if not error.is_companion or not (is_member or path in self._beside):
                raise
            self.left_aside[piece.file] = str(error)
            return
        if (digest := self._hashes.get(path)) and (first := self._taken.setdefault(digest, path)) != path:
            raise ImportRefusedError(
                f"{first.name} and {path.name} are the same file, so its answers would count twice; name one."
            )
