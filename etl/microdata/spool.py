"""Turns files of any packing into pieces of clean CSV lines, and keeps what is not clean with its reason.

A line is a row, unless a quote that it opens is closed on a following line and the whole has as many cells as
the header. So a quote that is never closed, bytes that are not UTF-8, or a title of a megabyte costs the one
line that it stands in and never its neighbours.
The files are read once, in pieces of bounded size, whatever their length.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from etl.errors import ImportRefusedError

PIECE_BYTES = 64_000_000
# The longest honest row of the files known has some 4 kB.
MAX_LINE_BYTES = 65_536
# A quoted answer of several lines is one row; beyond so many the quote was never closed.
MAX_LINES_OF_A_ROW = 100
# Text of pay records packs 5 to 15 times; a bomb packs a thousand times.
MAX_RATIO = 200
MAX_UNPACKED_BYTES = 64_000_000_000
RATIO_GRACE_BYTES = 50_000_000
SUFFIXES = (".csv", ".csv.gz", ".gz", ".tsv", ".txt", ".zip", ".parquet", ".xlsx")
_MEMBERS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
_WORKBOOK = "[Content_Types].xml"
_READ_BYTES = 4_000_000
BLANK, UNCLOSED = "blank line", "quote never closed"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Rejected:
    """One line that was not taken: where it stood, why, and how it begins."""

    file: str
    line: int | None
    reason: str
    text: str


@dataclass
class Piece:
    """Some lines of one file, clean of what is no row.

    Attributes:
        file: name of the file that they come from, with the member of an archive.
        header: names of its columns, as printed.
        delimiter: what separates the cells.
        content: the lines, each ended by a line feed, without the header; a row of several lines is one.
        first_line: number of the first line in the file; the header is line 1.
        dropped: numbers of the lines left out, blank ones and all but the first line of a row too.
        rejected: why, for those that are not blank.
        parquet: the file itself, where it is Parquet; then there are no lines.
        read_bytes: how much of the packed file had been read when this piece was complete.
    """

    file: str
    header: list[str]
    delimiter: str
    content: bytes
    first_line: int
    dropped: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    parquet: Path | None = None
    read_bytes: int = 0


def expand(paths: Sequence[Path | str]) -> dict[Path, bool]:
    """The files that are meant: a file is itself, a folder its data files, a pattern what it matches; sorted.

    Returns:
        Each file, and whether it was named itself; else it may be what lies beside the data.

    Raises:
        ImportRefusedError: a path names nothing.
    """
    found: dict[Path, bool] = {}
    missing = []
    for given in paths:
        path = Path(given).expanduser()
        is_named = path.is_file()
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if _is_data(each))
        elif is_named:
            inside = [path]
        else:
            inside = sorted(each for each in Path(path.anchor or ".").glob(_relative(path)) if each.is_file())
        if not inside:
            missing.append(str(given))
        found.update({each: is_named or found.get(each, False) for each in inside})
    if missing:
        raise ImportRefusedError(
            f"{', '.join(missing)} {'names' if len(missing) == 1 else 'name'} no file; "
            "give a CSV, gzip, zip, Parquet or xlsx file, a folder or a pattern."
        )
    return found


def fingerprint(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        ImportRefusedError: it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise ImportRefusedError(f"{path} cannot be read ({error.strerror}).") from error


def pieces(path: Path, scratch: Path) -> Iterator[Piece]:
    """All pieces of one file, in file order; `scratch` is a folder for what has to be unpacked.

    Raises:
        ImportRefusedError: the file is damaged, is no table, or unpacks to more than is plausible.
    """
    with path.open("rb") as handle:
        start = handle.read(4)
    if not start:
        raise ImportRefusedError(f"{path.name} is empty.")
    try:
        if start[:4] == b"PAR1":
            yield Piece(path.name, [], ",", b"", 1, parquet=path, read_bytes=path.stat().st_size)
        elif start[:2] == b"PK":
            yield from _zip_pieces(path, scratch)
        else:
            with path.open("rb") as handle:
                packed = start[:2] == b"\x1f\x8b"
                stream: IO[bytes] = gzip.GzipFile(fileobj=handle) if packed else handle  # type: ignore[assignment]  # it reads as one
                limit = path.stat().st_size if packed else None
                yield from _text_pieces(path.name, _bounded(path.name, stream, limit), handle)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, CalamineError) as error:
        reason = str(error).rstrip(".") or "it ends too early"
        raise ImportRefusedError(
            f"{path.name} is damaged or incomplete ({reason}); fetch it again."
        ) from error
    except OSError as error:
        raise ImportRefusedError(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _is_data(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def _relative(pattern: Path) -> str:
    return str(pattern.relative_to(pattern.anchor)) if pattern.anchor else str(pattern)


def _zip_pieces(path: Path, scratch: Path) -> Iterator[Piece]:
    with zipfile.ZipFile(path) as archive:
        refuse_archive(path, archive)
        if _WORKBOOK in archive.namelist():
            yield from _workbook_pieces(path.name, path)
            return
        members = [
            each
            for each in sorted(archive.infolist(), key=lambda member: member.filename)
            if not each.is_dir()
            and each.filename.lower().endswith(_MEMBERS)
            and not Path(each.filename).name.startswith((".", "__MACOSX"))
        ]
        if not members:
            raise ImportRefusedError(f"{path.name} holds no CSV, no Parquet file and no workbook.")
        for member in members:
            name = f"{path.name}/{member.filename}"
            if member.flag_bits & 0x1:
                raise ImportRefusedError(f"{name} is encrypted.")
            with archive.open(member) as stream:
                bounded = _bounded(name, stream, max(member.compress_size, 1))
                if not member.filename.lower().endswith((".parquet", ".xlsx")):
                    yield from _text_pieces(name, bounded, None)
                    continue
                # Under a name of our own, so that no name in the archive leads anywhere.
                unpacked = scratch / f"member{Path(member.filename).suffix.lower()}"
                with unpacked.open("wb") as target:
                    target.writelines(bounded)
            if unpacked.suffix == ".xlsx":
                yield from _workbook_pieces(name, unpacked)
            else:
                yield Piece(name, [], ",", b"", 1, parquet=unpacked)


def _workbook_pieces(name: str, path: Path) -> Iterator[Piece]:
    """The rows of a workbook's largest sheet, as lines; the agencies put notes on the others."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                for _ in _bounded(name, stream, max(member.compress_size, 1)):
                    pass
    with CalamineWorkbook.from_path(path) as workbook:
        sheets = [workbook.get_sheet_by_name(each) for each in workbook.sheet_names]
        largest = max(sheets, key=lambda sheet: sheet.total_height)
        yield from _text_pieces(name, _sheet_lines(largest), None)


def _sheet_lines(sheet: CalamineSheet) -> Iterator[bytes]:
    """Blocks of CSV lines; a line break inside a cell becomes a blank, since a line is a row."""
    block = io.StringIO()
    writer = csv.writer(block, lineterminator="\n")
    for row in sheet.iter_rows():
        writer.writerow([" ".join(_as_text(cell).split()) for cell in row])
        if block.tell() > _READ_BYTES:
            yield block.getvalue().encode()
            block.seek(0)
            block.truncate()
    yield block.getvalue().encode()


def _as_text(cell: object) -> str:
    """A cell as a CSV file would have it: whole numbers without a point."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounded(name: str, stream: IO[bytes], packed_bytes: int | None) -> Iterator[bytes]:
    """The bytes of a stream, block by block, refused as soon as there are implausibly many of them."""
    total = 0
    while block := stream.read(_READ_BYTES):
        total += len(block)
        _refuse_bomb(name, total, packed_bytes)
        yield block


def refuse_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose members together are implausibly large; what they declare is the most they are.

    Raises:
        ImportRefusedError: so it is.
    """
    _refuse_bomb(path.name, sum(each.file_size for each in archive.infolist()), path.stat().st_size)


def _refuse_bomb(name: str, unpacked_bytes: int, packed_bytes: int | None) -> None:
    """Refuse what unpacks to implausibly much; None stands for what is not packed.

    Raises:
        ImportRefusedError: so it is.
    """
    most = MAX_UNPACKED_BYTES
    if packed_bytes is not None:
        most = min(most, max(RATIO_GRACE_BYTES, MAX_RATIO * packed_bytes))
    if unpacked_bytes > most:
        raise ImportRefusedError(
            f"{name} unpacks to more than {most:,} bytes, which no such table does; nothing was read."
        )


def _text_pieces(name: str, blocks: Iterator[bytes], handle: IO[bytes] | None) -> Iterator[Piece]:
    lines = _line_blocks(blocks)
    first = next(lines, None)
    if first is None:
        raise ImportRefusedError(f"{name} is empty.")
    head, _, rest = first.removeprefix(_BOM).partition(b"\n")
    header, delimiter = _header(name, head)
    line = 2
    waiting: list[bytes] = [rest] if rest else []
    size = len(rest)
    for block in lines:
        waiting.append(block)
        size += len(block)
        if size >= PIECE_BYTES:
            piece, line = _clean(name, header, delimiter, b"".join(waiting), line)
            piece.read_bytes = handle.tell() if handle else 0
            yield piece
            waiting, size = [], 0
    if waiting or line == 2:
        piece, line = _clean(name, header, delimiter, b"".join(waiting), line)
        piece.read_bytes = handle.tell() if handle else 0
        yield piece


def _line_blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that end with a whole line. What is left of a line far too long is enough to reject it."""
    rest = b""
    for block in blocks:
        joined = (rest + block).replace(b"\r\n", b"\n").replace(b"\x00", b"")
        end = joined.rfind(b"\n") + 1
        if end:
            yield joined[:end]
        rest = joined[end:]
        if len(rest) > 4 * MAX_LINE_BYTES:
            rest = rest[: 2 * MAX_LINE_BYTES]
    if rest:
        yield rest + b"\n"


def _header(name: str, head: bytes) -> tuple[list[str], str]:
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise ImportRefusedError(f"{name} is UTF-16; save it as UTF-8.")
    try:
        text = head.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        raise ImportRefusedError(f"The header of {name} is not UTF-8; save the file as UTF-8.") from None
    if len(text) > MAX_LINE_BYTES:
        raise ImportRefusedError(
            f"{name} is no table: its first line has more than {MAX_LINE_BYTES:,} letters."
        )
    delimiter = max((",", ";", "\t"), key=text.count)
    return next(csv.reader(io.StringIO(text), delimiter=delimiter), []), delimiter


def _clean(name: str, header: list[str], delimiter: str, content: bytes, line: int) -> tuple[Piece, int]:
    """The piece that these lines make, and the number of the line after it."""
    piece = Piece(name, header, delimiter, content, line)
    count = content.count(b"\n")
    has_blank_line = b"\n\n" in content or content.startswith(b"\n")
    if has_blank_line or b'"' in content or not _is_utf8(content) or _longest_may_exceed(content):
        _drop_bad_lines(piece)
    return piece, line + count


def _drop_bad_lines(piece: Piece) -> None:
    kept = []
    lines = piece.content.split(b"\n")[:-1]
    numbered = iter(enumerate(lines))
    for place, line in numbered:
        number, reason = piece.first_line + place, _defect(line)
        if reason == UNCLOSED and (row := _row_of_lines(lines[place : place + MAX_LINES_OF_A_ROW], piece)):
            joined, count = row
            kept.append(joined)
            piece.dropped += range(number + 1, number + count)
            deque(islice(numbered, count - 1), maxlen=0)
            continue
        if reason is None:
            kept.append(line)
            continue
        piece.dropped.append(number)
        if reason == BLANK:
            continue
        text = line[:200].decode("utf-8", errors="replace")
        piece.rejected.append(Rejected(piece.file, number, reason, text))
    piece.content = b"\n".join([*kept, b""])


def _row_of_lines(lines: Sequence[bytes], piece: Piece) -> tuple[bytes, int] | None:
    """The row that begins with the first of these lines, which leaves a quote open, and how many it takes.

    A line break becomes a blank. None where no following line closes the quote, or where what comes out is no
    row: too long, not UTF-8, or of another number of cells than the header.
    """
    closing = next((place for place, line in enumerate(lines[1:], 1) if line.count(b'"') % 2), None)
    if closing is None:
        return None
    joined = b" ".join(lines[: closing + 1])
    if _defect(joined):
        return None
    try:
        cells = next(csv.reader([joined.decode()], delimiter=piece.delimiter, strict=True))
    except csv.Error:
        return None
    return (joined, closing + 1) if len(cells) == len(piece.header) else None


def _defect(line: bytes) -> str | None:
    if not line.strip():
        return BLANK
    if len(line) > MAX_LINE_BYTES:
        return "line too long"
    if line.count(b'"') % 2:
        return UNCLOSED
    return None if _is_utf8(line) else "not UTF-8"


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _longest_may_exceed(content: bytes) -> bool:
    """Whether some line may be too long: a window of that length without a line feed in it."""
    half = MAX_LINE_BYTES // 2
    return any(content.find(b"\n", start, start + half) < 0 for start in range(0, len(content) - half, half))
