"""Imports pay records: files -> clean pieces -> validated records -> cells -> a snapshot in the home.

Memory does not grow with the file: lines are read in pieces, coordinates are kept once and records as three
numbers in a database on disk, which the engine may spill. Nothing is published where more than a twentieth of
the rows are bad; below that, bad rows are counted, kept with their reason, and the import goes on.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from etl.errors import ImportRefusedError, MisuseError, TooManyBadRowsError
from etl.microdata import aijobs, data_jobs, lca, stackoverflow
from etl.microdata.feed import Feed, Lines
from etl.microdata.feeding import Feeding, Progress
from etl.microdata.overlap import refuse_overlap
from etl.microdata.reader import (
    COORDINATES,
    EMPLOYMENT,
    EXPERIENCE,
    FIRST_YEAR,
    LAST_YEAR,
    LEAST_PAY,
    MOST_PAY,
    REMOTE,
    SIZES,
    Layout,
    Reader,
)
from etl.microdata.roles import MAX_TITLE_LETTERS, normalised, role_of
from etl.microdata.spool import Piece, Rejected, expand, fingerprint
from etl.microdata.tables import (
    BRACKETS_OF_ANSWERS,
    SHAPES,
    TABLE_READERS,
    TableLayout,
    TableReader,
    plain_name,
)
from etl.microdata.vocabulary import Vocabulary
from etl.rules import header_and_body
from etl.settings import Settings
from etl.snapshots import CELLS, MANIFEST, REJECTS, ROWS, Snapshot, Store
from etl.warehouse import Home, connect, quoted

READERS: dict[str, Reader | TableReader] = {
    **{each.READER.source: each.READER for each in (aijobs, stackoverflow, data_jobs, lca)},
    **TABLE_READERS,
}
MOST_BAD_SHARE = 0.05
MEMORY_LIMIT = "1500MB"
# A title that no person reviewed is kept by name only if it is no single person's; its role is kept always.
LEAST_REPORTS_OF_A_TITLE = 10
MAX_REJECTS_KEPT = 100_000
MAX_UNMAPPED_TOLD = 50
_YEAR_IN_NAME = re.compile(r"(?<!\d)(20[0-3]\d)(?!\d)")
_RAW = (*COORDINATES, "currency")


@dataclass(frozen=True)
class ImportResult:
    """What an import came to.

    Attributes:
        snapshot: the cells, now those in use for their source.
        is_new: whether they were not there before.
        manifest: what was read, taken and not taken.
    """

    snapshot: Snapshot
    is_new: bool
    manifest: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"new": self.is_new, "folder": str(self.snapshot.folder), **self.manifest}


def import_files(
    source: str,
    paths: Sequence[Path | str],
    settings: Settings,
    progress: Progress = lambda *_: None,
    origin: Mapping[str, Any] | None = None,
) -> ImportResult:
    """Import files of one source, together one edition of it; they replace what was imported of it before.

    The same files a second time change nothing. What `origin` says of where they were fetched from joins the
    manifest.

    Raises:
        MisuseError: there is no such source.
        ImportRefusedError: a file cannot be used, or too many of its rows are bad; nothing was changed.
        HomeError: the home cannot be written.
    """
    reader = reader_of(source)
    named = expand(paths)
    found = list(named)
    total = sum(path.stat().st_size for path in found)
    progress(0, total, "Comparing with what is there")
    hashes = {path: fingerprint(path) for path in found}
    vocabulary = Vocabulary(settings.data)
    snapshot_id = _snapshot_id(reader, sorted(hashes.values()), vocabulary)
    store = Store(settings.home)
    with Home(settings.home).writing():
        if snapshot := store.find(source, snapshot_id):
            store.use(snapshot)
            return ImportResult(snapshot, is_new=False, manifest=snapshot.manifest)
        with store.unfinished(source) as folder:
            feeding = Feeding(found, progress, {path for path in found if not named[path]}, hashes)
            try:
                manifest = reduce_files(reader, feeding, vocabulary, folder)
            except TooManyBadRowsError as error:
                kept = store.keep_rejects(folder / REJECTS, source)
                raise TooManyBadRowsError(f"{error} All of them stand in {kept}.") from error
            manifest["snapshot"] = snapshot_id
            manifest["files"] = [
                {"name": path.name, "sha256": hashes[path], "bytes": path.stat().st_size} for path in found
            ]
            manifest |= origin or {}
            write_manifest(folder, manifest)
            store.forget_rejects(source)
            return ImportResult(store.publish(folder, source, snapshot_id), is_new=True, manifest=manifest)


def reader_of(source: str) -> Reader | TableReader:
    """The reader of a source.

    Raises:
        MisuseError: there is none.
    """
    if source not in READERS:
        raise MisuseError(f"There is no source '{source}'; there are {', '.join(sorted(READERS))}.")
    return READERS[source]


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a snapshot."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def reduce_files(
    reader: Reader | TableReader, feeding: Feeding, vocabulary: Vocabulary, folder: Path
) -> dict[str, Any]:
    """Write cells (or rows) and rejected rows of files into `folder`; returns what the manifest says of them.

    Raises:
        TooManyBadRowsError: the rejected rows stand in `folder`.
        ImportRefusedError: a file cannot be used.
    """
    scratch = folder / "scratch"
    scratch.mkdir()
    if isinstance(reader, TableReader):
        manifest = _reduce_table(reader, feeding, vocabulary, folder, scratch)
    else:
        manifest = _reduce_records(reader, feeding, vocabulary, folder, scratch)
    manifest["left_aside"] = sorted(feeding.left_aside)
    shutil.rmtree(scratch, ignore_errors=True)
    return manifest


def _reduce_records(
    reader: Reader, feeding: Feeding, vocabulary: Vocabulary, folder: Path, scratch: Path
) -> dict[str, Any]:
    config = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch / "spill")}
    with connect(scratch / "records.duckdb", config=config) as connection:
        intake = _Intake(connection, reader, vocabulary, scratch)
        feeding.feed(intake.take, scratch)
        feeding.tell("Checking the records")
        intake.refuse_overlap()
        manifest = intake.judge()
        intake.write_rejects(folder / REJECTS)
        _stop_if_too_bad(connection, manifest)
        feeding.tell("Reducing the records to cells")
        manifest["cells"] = intake.write_cells(folder / CELLS)
    return manifest


class _Intake:
    """The records on their way from the pieces to the cells, in a database of their own."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, reader: Reader, vocabulary: Vocabulary, scratch: Path
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._words = vocabulary
        self._feed = Feed(connection, scratch)
        self._records = 0
        self._places: list[tuple[str, Lines]] = []
        self._years: dict[str, tuple[Path, str]] = {}
        self._files: dict[int, str] = {}
        self._combinations = 0
        raw = ", ".join(f"{name} VARCHAR" for name in _RAW)
        connection.execute(
            f"""
            CREATE TABLE raw_combination (combination_id INTEGER, {raw});
            CREATE TABLE record (file_no INTEGER, row_no BIGINT, combination_id INTEGER, pay_usd DOUBLE);
            CREATE TABLE left_out (row_no BIGINT, reason VARCHAR);
            CREATE TABLE bad_pay (row_no BIGINT, pay VARCHAR);
            """
        )

    # --- records in -----------------------------------------------------------------------------------------

    def take(self, file_no: int, path: Path, piece: Piece) -> None:
        """Add the records of one piece."""
        relation, header = self._feed.relation(piece)
        layout = self._reader.layout(piece.file, header)
        if self._reader.year_from_name:
            self._refuse_year_twice(path, piece.file)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE piece AS {self._told(layout, path, piece.file, relation)}"
        )
        self._files[file_no] = piece.file
        self._places.append((piece.file, self._feed.lines(piece, self._records + 1)))
        self._add(file_no)

    def _refuse_year_twice(self, path: Path, file: str) -> None:
        """Two files of one year of a survey hold the same answers.

        Raises:
            ImportRefusedError: so it is.
        """
        year = _year_of(path, file)
        first, name = self._years.setdefault(year, (path, file))
        if (first, name) != (path, file):
            raise ImportRefusedError(
                f"{name} and {file} are both of {year}, so answers would count twice; name one."
            )

    def refuse_overlap(self) -> None:
        """Refuse vintages of one file, of which each holds the records of the one before.

        Raises:
            ImportRefusedError: so it is.
        """
        if self._reader.has_ranges and len(self._files) > 1:
            refuse_overlap(self._connection, self._files)

    def _told(self, layout: Layout, path: Path, file: str, relation: str) -> str:
        """SELECT of the raw coordinates, the pay and why a row is left out."""
        values = dict(layout.values)
        if self._reader.year_from_name:
            values["year"] = f"'{_year_of(path, file)}'"
        told = ", ".join(f"coalesce(trim({values.get(name) or repr('')}), '') AS {name}" for name in _RAW)
        return (
            f"SELECT {told}, coalesce(trim({values['pay']}), '') AS pay, {layout.left_out} AS left_out "  # noqa: S608  # declared by the reader
            f"FROM {relation}"
        )

    def _add(self, file_no: int) -> None:
        """From texts to numbers: each set of coordinates once, each record as its number, set and pay."""
        first, same = self._records + 1, " AND ".join(f"piece.{name} = known.{name}" for name in _RAW)
        names = ", ".join(_RAW)
        self._connection.execute(
            f"""
            INSERT INTO raw_combination
            SELECT {self._combinations} + row_number() OVER (ORDER BY {names}), {names}
            FROM (SELECT DISTINCT {names} FROM piece) AS piece
            WHERE NOT EXISTS (SELECT 1 FROM raw_combination AS known WHERE {same});
            INSERT INTO record
            SELECT {file_no}, {first} + piece.rowid, known.combination_id, try_cast(piece.pay AS DOUBLE)
            FROM piece JOIN raw_combination AS known ON {same}
            WHERE piece.left_out IS NULL;
            INSERT INTO left_out SELECT {first} + rowid, left_out FROM piece WHERE left_out IS NOT NULL;
            INSERT INTO bad_pay SELECT {first} + rowid, pay[:200] FROM piece
            WHERE left_out IS NULL AND try_cast(pay AS DOUBLE) IS NULL;
            """  # noqa: S608  # names of columns and numbers
        )
        self._combinations = self._feed.one("SELECT count(*) FROM raw_combination")
        self._records += self._feed.one("SELECT count(*) FROM piece")

    # --- judgement ------------------------------------------------------------------------------------------

    def judge(self) -> dict[str, Any]:
        """Look at every set of coordinates and every pay; returns the counts."""
        self._name_roles()
        self._name_countries()
        self._connection.execute(
            f"""
            CREATE TABLE combination AS
            SELECT
                raw.combination_id,
                try_cast(raw.year AS INTEGER) AS year,
                role.role_id,
                nullif(role.title, '') AS title,
                role.state AS title_state,
                nullif(raw.experience, '') AS experience,
                nullif(raw.employment, '') AS employment,
                residence.code AS residence,
                company.code AS company_country,
                try_cast(raw.remote AS SMALLINT) AS remote,
                nullif(raw.company_size, '') AS company_size,
                CASE
                    WHEN coalesce(try_cast(raw.year AS INTEGER), 0) NOT BETWEEN {FIRST_YEAR} AND {LAST_YEAR}
                        THEN 'year'
                    WHEN length(raw.title) > {MAX_TITLE_LETTERS} THEN 'title too long'
                    WHEN raw.title = '' AND {self._needs_title} THEN 'no title'
                    WHEN raw.experience NOT IN {EXPERIENCE} THEN 'unknown experience level'
                    WHEN raw.employment NOT IN {EMPLOYMENT} THEN 'unknown kind of employment'
                    WHEN raw.remote NOT IN {REMOTE} THEN 'unknown share of remote work'
                    WHEN raw.company_size NOT IN {SIZES} THEN 'unknown company size'
                    WHEN raw.residence <> '' AND residence.name IS NULL THEN 'unknown country'
                    WHEN raw.company_country <> '' AND company.name IS NULL THEN 'unknown country'
                    WHEN raw.currency <> '' AND NOT list_contains($currencies, raw.currency)
                        THEN 'unknown currency'
                END AS reason
            FROM raw_combination AS raw
            JOIN title_role AS role ON role.raw_title = raw.title
            LEFT JOIN country_code AS residence ON residence.name = lower(raw.residence)
            LEFT JOIN country_code AS company ON company.name = lower(raw.company_country);
            """,  # noqa: S608  # constants of this program
            {"currencies": sorted(self._words.currencies)},
        )
        self._connection.execute(
            f"""
            CREATE TABLE bad AS
            SELECT record.row_no, record.combination_id, record.pay_usd,
                CASE
                    WHEN combination.reason IS NOT NULL THEN combination.reason
                    WHEN NOT coalesce(isfinite(record.pay_usd), false) THEN 'pay is no number'
                    WHEN record.pay_usd < 0 THEN 'negative pay'
                    WHEN record.pay_usd < {LEAST_PAY} THEN 'pay below {LEAST_PAY:,} USD a year'
                    ELSE 'pay above {MOST_PAY:,} USD a year'
                END AS reason
            FROM record JOIN combination USING (combination_id)
            WHERE combination.reason IS NOT NULL
                OR NOT coalesce(record.pay_usd BETWEEN {LEAST_PAY} AND {MOST_PAY}, false);
            CREATE VIEW answer AS SELECT record.* FROM record ANTI JOIN bad USING (row_no);
            CREATE TABLE accepted AS
            SELECT combination_id, count(*) AS records FROM answer GROUP BY combination_id;
            """  # noqa: S608  # constants of this program
        )
        return self._counts()

    @property
    def _needs_title(self) -> str:
        return "true" if all("title" in each.values for each in self._reader.layouts) else "false"

    def _name_roles(self) -> None:
        titles = [
            str(row[0])
            for row in self._connection.execute(
                "SELECT DISTINCT title FROM raw_combination ORDER BY title"
            ).fetchall()
        ]
        found = [role_of(title[: MAX_TITLE_LETTERS + 1], self._words.titles) for title in titles]
        plain = [normalised(title) if len(title) <= MAX_TITLE_LETTERS else "" for title in titles]
        self._connection.execute(
            "CREATE TABLE title_role AS SELECT unnest($raw::VARCHAR[]) AS raw_title, "
            "unnest($plain::VARCHAR[]) AS title, unnest($role::VARCHAR[]) AS role_id, "
            "unnest($state::VARCHAR[]) AS state, unnest($known::BOOLEAN[]) AS is_reviewed",
            {
                "raw": titles,
                "plain": plain,
                "role": [each.role_id for each in found],
                "state": [each.state for each in found],
                "known": [each.is_reviewed for each in found],
            },
        )

    def _name_countries(self) -> None:
        known = self._words.countries
        self._connection.execute(
            "CREATE TABLE country_code AS SELECT unnest($name::VARCHAR[]) AS name, "
            "unnest($code::VARCHAR[]) AS code",
            {"name": list(known), "code": [code or None for code in known.values()]},
        )

    def _counts(self) -> dict[str, Any]:
        rejected = self._feed.counts(
            "SELECT reason, count(*) FROM (SELECT reason FROM reject UNION ALL SELECT reason FROM bad) "
            "GROUP BY reason ORDER BY reason"
        )
        left_out = self._feed.counts("SELECT reason, count(*) FROM left_out GROUP BY reason ORDER BY reason")
        states = self._feed.counts(
            "SELECT title_state, sum(records) FROM accepted JOIN combination USING (combination_id) "
            "GROUP BY title_state ORDER BY title_state"
        )
        unmapped = self._feed.counts(
            "SELECT title, sum(records) AS reports FROM accepted JOIN combination USING (combination_id) "  # noqa: S608  # numbers
            "WHERE title_state = 'unmapped' AND title IS NOT NULL "
            f"GROUP BY title HAVING sum(records) >= {LEAST_REPORTS_OF_A_TITLE} "
            f"ORDER BY reports DESC, title LIMIT {MAX_UNMAPPED_TOLD}"
        )
        parsed_away = self._feed.one("SELECT count(*) FROM reject")
        return {
            "source": self._reader.source,
            "rows": self._records + parsed_away,
            "accepted": sum(states.values()),
            "left_out": left_out,
            "rejected": rejected,
            "titles": {state: states.get(state, 0) for state in ("mapped", "excluded", "unmapped")},
            "unmapped_titles": unmapped,
        }

    # --- results out ----------------------------------------------------------------------------------------

    def write_rejects(self, target: Path) -> None:
        """Write the rejected rows, the first hundred thousand, with file, line and reason."""
        raw = ", ".join(f"raw.{name}" for name in _RAW)
        bad = self._connection.execute(
            f"""
            SELECT bad.row_no, bad.reason,
                left(concat_ws(',', {raw}, coalesce(bad_pay.pay, format('{{:.0f}}', bad.pay_usd))), 200)
            FROM bad
            JOIN raw_combination AS raw USING (combination_id)
            LEFT JOIN bad_pay USING (row_no)
            ORDER BY bad.row_no LIMIT {MAX_REJECTS_KEPT}
            """  # noqa: S608  # names of columns
        ).fetchall()
        located: list[Rejected] = []
        starts = [lines.first_row for _, lines in self._places]
        for row_no, reason, text in bad:
            file, lines = self._places[bisect_right(starts, row_no) - 1]
            located.append(Rejected(file, lines.of(row_no), reason, text))
        self._feed.reject(located)
        self._connection.execute(
            f"CREATE TABLE rejected AS FROM reject ORDER BY file, line LIMIT {MAX_REJECTS_KEPT}; "
            f"COPY rejected TO '{quoted(target)}' (FORMAT parquet, COMPRESSION zstd)"
        )

    def write_cells(self, target: Path) -> int:
        """Reduce the sound records to cells; returns how many there are."""
        self._connection.execute(
            f"""
            UPDATE combination SET title = NULL WHERE title IN (
                SELECT title FROM accepted JOIN combination USING (combination_id)
                WHERE title NOT IN (SELECT title FROM title_role WHERE is_reviewed)
                GROUP BY title HAVING sum(records) < {LEAST_REPORTS_OF_A_TITLE}
            );
            CREATE TABLE source_rule AS SELECT {self._reader.has_ranges} AS has_ranges;
            """  # noqa: S608  # constants of this program
        )
        sql = cells_sql()
        self._connection.execute(
            f"COPY (SELECT '{self._reader.source}' AS source, cell.* FROM ({sql}) AS cell) "  # noqa: S608  # a file of this program
            f"TO '{quoted(target)}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 12)"
        )
        return self._feed.one(f"SELECT count(*) FROM '{quoted(target)}'")  # noqa: S608  # a file that was just written


class _TableIntake:
    """The rows of a source that is not reduced, on their way into one table."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, reader: TableReader, words: Vocabulary, scratch: Path
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._words = words
        self._feed = Feed(connection, scratch)
        self._rows = 0
        self._shape = SHAPES[reader.shape]
        columns = ", ".join(f"{name} {kind}" for name, kind in self._shape.items())
        connection.execute(f"CREATE TABLE kept ({columns}); CREATE TABLE left_out (reason VARCHAR)")

    def take(self, _: int, path: Path, piece: Piece) -> None:
        """Add the rows of one piece."""
        relation, header = self._feed.relation(piece)
        layout = self._reader.layout(piece.file, header)
        names = ", ".join(
            f'"{name}" AS {plain_name(name)}' for name in header if plain_name(name).isidentifier()
        )
        told = ", ".join(
            f"CAST({self._value(layout, name, path, piece.file)} AS {kind}) AS {name}"
            for name, kind in self._shape.items()
        )
        reason, known = layout.bad, dict[str, list[str]]()
        if "country" in self._shape:
            # A bracket of an unknown country must not look like one of the whole world.
            unknown = "country <> '' AND NOT list_contains($countries::VARCHAR[], lower(country))"
            reason = f"coalesce({reason}, CASE WHEN {unknown} THEN 'unknown country' END)"
            known = {"countries": list(self._words.countries)}
        self._connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE piece AS
            SELECT *, {reason} AS bad FROM (
                SELECT {told}, {layout.left_out} AS left_out, row_number() OVER () AS place
                FROM (SELECT {names} FROM {relation})
            ) AS told
            """,  # noqa: S608  # declared by the reader
            known,
        )
        lines = self._feed.lines(piece, 1)
        bad = self._connection.execute(
            f"SELECT place, bad, concat_ws(',', {', '.join(self._shape)}) FROM piece "  # noqa: S608  # names of columns
            "WHERE bad IS NOT NULL AND left_out IS NULL ORDER BY place"
        ).fetchall()
        self._feed.reject(Rejected(piece.file, lines.of(place), reason, text) for place, reason, text in bad)
        self._connection.execute(
            f"""
            INSERT INTO kept SELECT {", ".join(self._shape)} FROM piece
            WHERE bad IS NULL AND left_out IS NULL ORDER BY place;
            INSERT INTO left_out SELECT left_out FROM piece WHERE left_out IS NOT NULL
            """  # noqa: S608  # names of columns
        )
        self._rows += self._feed.one("SELECT count(*) FROM piece") + len(piece.rejected)

    def _value(self, layout: TableLayout, name: str, path: Path, file: str) -> str:
        if name == "source":
            return f"'{self._reader.source}'"
        value = layout.values.get(name, "NULL")
        return _year_of(path, file) if value == "$year" else value

    def judge(self) -> dict[str, Any]:
        """Name roles and countries; returns the counts."""
        if self._reader.shape == "pay_bracket":
            self._refuse_year_twice()
            self._name(
                "title",
                "role_id",
                {t: role_of(t, self._words.titles).role_id for t in self._distinct("title") if t},
            )
            countries = self._words.countries
            self._name(
                "country", "country", {c: countries[c.lower()] for c in self._distinct("country") if c}
            )
        return {
            "source": self._reader.source,
            "rows": self._rows,
            "accepted": self._feed.one("SELECT count(*) FROM kept"),
            "left_out": self._feed.counts(
                "SELECT reason, count(*) FROM left_out GROUP BY reason ORDER BY reason"
            ),
            "rejected": self._feed.counts(
                "SELECT reason, count(*) FROM reject GROUP BY reason ORDER BY reason"
            ),
        }

    def _refuse_year_twice(self) -> None:
        """Answers and counts of the same answers would count twice.

        Raises:
            ImportRefusedError: so it is.
        """
        both = self._connection.execute(
            "SELECT year FROM kept WHERE title IS NOT NULL AND country IS NOT NULL INTERSECT "
            "SELECT year FROM kept WHERE title IS NULL OR country IS NULL ORDER BY year"
        ).fetchall()
        if both:
            years = ", ".join(str(year) for (year,) in both)
            raise ImportRefusedError(
                f"The files hold the answers of {years} and counts of them, which would count twice; "
                "name one of the two."
            )

    def write(self, folder: Path) -> None:
        """Write the rows and what was rejected of them."""
        order = ", ".join(self._shape)
        rows = BRACKETS_OF_ANSWERS if self._reader.shape == "pay_bracket" else "FROM kept"
        self._connection.execute(
            f"COPY (FROM ({rows}) ORDER BY {order}) TO '{quoted(folder / ROWS)}' (FORMAT parquet); "  # noqa: S608  # names of columns
            f"COPY (SELECT * FROM reject ORDER BY file, line LIMIT {MAX_REJECTS_KEPT}) "
            f"TO '{quoted(folder / REJECTS)}' (FORMAT parquet)"
        )

    def _distinct(self, column: str) -> list[str]:
        sql = f"SELECT DISTINCT {column} FROM kept WHERE {column} IS NOT NULL ORDER BY {column}"  # noqa: S608  # a name
        return [str(row[0]) for row in self._connection.execute(sql).fetchall()]

    def _name(self, column: str, target: str, meaning: Mapping[str, str | None]) -> None:
        if meaning:
            self._connection.execute(
                f"UPDATE kept SET {target} = known.meaning FROM (SELECT unnest($words::VARCHAR[]) AS word, "  # noqa: S608  # names
                f"unnest($meanings::VARCHAR[]) AS meaning) AS known WHERE known.word = kept.{column}",
                {"words": list(meaning), "meanings": list(meaning.values())},
            )


def _reduce_table(
    reader: TableReader, feeding: Feeding, words: Vocabulary, folder: Path, scratch: Path
) -> dict[str, Any]:
    with connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        intake = _TableIntake(connection, reader, words, scratch)
        feeding.feed(intake.take, scratch)
        feeding.tell("Checking the rows")
        manifest = intake.judge()
        intake.write(folder)
        _stop_if_too_bad(connection, manifest)
    return manifest


def _stop_if_too_bad(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> None:
    """Refuse an import of which too much is bad, or nothing good.

    Raises:
        TooManyBadRowsError: too much is bad.
        ImportRefusedError: nothing is good.
    """
    bad, rows = sum(manifest["rejected"].values()), manifest["rows"]
    if bad > MOST_BAD_SHARE * rows:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in manifest["rejected"].items())
        first = connection.execute(
            "SELECT file, line, reason, left(content, 80) FROM reject ORDER BY file, line LIMIT 3"
        ).fetchall()
        shown = "; ".join(f"{file}, line {line}: {reason} ({text})" for file, line, reason, text in first)
        raise TooManyBadRowsError(
            f"{bad:,} of {rows:,} rows are bad, more than {MOST_BAD_SHARE:.0%} ({reasons}); "
            f"nothing was published. The first: {shown}."
        )
    if not manifest["accepted"]:
        raise ImportRefusedError("The files hold no usable row; nothing was published.")


def cells_sql() -> str:
    """The statement that makes cells of records."""
    _, sql = header_and_body((files("etl") / "sql" / "cells.sql").read_text(encoding="utf-8"))
    return sql


def _snapshot_id(reader: Reader | TableReader, hashes: list[str], vocabulary: Vocabulary) -> str:
    """The same files, words and code give the same id."""
    here = Path(__file__).parent
    code = [Path(__file__), here / "sql" / "cells.sql", *sorted((here / "microdata").glob("*.py"))]
    decides = {
        "source": reader.source,
        "files": hashes,
        "words": vocabulary.hashes(),
        "code": [hashlib.sha256(path.read_bytes()).hexdigest() for path in code],
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def _year_of(path: Path, file: str) -> str:
    """The year in the name of a file: of a member of an archive, of the file itself, of its folder."""
    for name in (*reversed(Path(file).parts), path.name, path.parent.name):
        if found := _YEAR_IN_NAME.search(name):
            return found[1]
    raise ImportRefusedError(
        f"The year of {path} is not known: its rows do not tell it, so its name or its folder's must."
    )
