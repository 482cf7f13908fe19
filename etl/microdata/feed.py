"""Hands pieces of files to the database: as a relation of text columns, with what the parser put aside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from etl.errors import ImportRefusedError
from etl.microdata.spool import Piece, Rejected
from etl.warehouse import quoted

MAX_TEXT_KEPT = 200


@dataclass
class Lines:
    """Which line of its file a row of a piece stood in.

    Attributes:
        first_row: number of the first row of the piece.
        first_line: number of the line that the piece starts with.
        left_out: numbers of lines in between that are no rows, sorted.
    """

    first_row: int
    first_line: int
    left_out: list[int] = field(default_factory=list)

    def of(self, row: int) -> int:
        """The line of a row."""
        plain = line = self.first_line + row - self.first_row
        # Every line left out before it moves it down by one, which may bring it behind further ones.
        while (moved := plain + bisect_right(self.left_out, line)) != line:
            line = moved
        return line


class Feed:
    """Reads pieces in one database and keeps the rejected lines there, in the table `reject`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        """Create the table of rejected lines."""
        self._connection = connection
        self._scratch = scratch
        connection.execute("CREATE TABLE reject (file VARCHAR, line BIGINT, reason VARCHAR, content VARCHAR)")

    def relation(self, piece: Piece) -> tuple[str, list[str]]:
        """SQL of a relation with the piece's columns as text, and their names.

        Raises:
            ImportRefusedError: it is no table.
        """
        return self._parquet(piece) if piece.parquet else self._csv(piece)

    def lines(self, piece: Piece, first_row: int) -> Lines:
        """Keep what was rejected of a piece, by its lines or by the parser, once its relation was read."""
        self.reject(piece.rejected)
        known = Lines(first_row, piece.first_line, list(piece.dropped))
        if piece.parquet:
            return known
        within = Lines(1, piece.first_line, list(piece.dropped))
        found = self._connection.execute(
            "SELECT line, any_value(error_type::VARCHAR), any_value(csv_line[:200]) FROM reject_errors "
            "GROUP BY line ORDER BY line"
        ).fetchall()
        if found:
            self._connection.execute("DELETE FROM reject_errors; DELETE FROM reject_scans")
            rejected = [
                Rejected(piece.file, within.of(line), str(kind).lower(), text) for line, kind, text in found
            ]
            self.reject(rejected)
            known.left_out = sorted({*known.left_out, *(each.line for each in rejected if each.line)})
        return known

    def reject(self, rows: Iterable[Rejected]) -> None:
        """Keep rejected rows with their reasons."""
        found = list(rows)
        if found:
            self._connection.execute(
                "INSERT INTO reject SELECT unnest($file::VARCHAR[]), unnest($line::BIGINT[]), "
                "unnest($reason::VARCHAR[]), unnest($content::VARCHAR[])",
                {
                    "file": [each.file for each in found],
                    "line": [each.line for each in found],
                    "reason": [each.reason for each in found],
                    "content": [each.text[:MAX_TEXT_KEPT] for each in found],
                },
            )

    def one(self, sql: str) -> int:
        """The one number that a query gives."""
        found = self._connection.execute(sql).fetchone()
        return int(found[0]) if found else 0

    def counts(self, sql: str) -> dict[str, int]:
        """The names and numbers that a query gives."""
        return {str(name): int(count) for name, count in self._connection.execute(sql).fetchall()}

    def _parquet(self, piece: Piece) -> tuple[str, list[str]]:
        relation = f"read_parquet('{quoted(piece.parquet)}')"
        try:
            described = self._connection.execute(f"DESCRIBE FROM {relation}").fetchall()
        except duckdb.Error as error:
            raise ImportRefusedError(f"{piece.file} is damaged ({str(error).splitlines()[0]}).") from error
        header = [str(row[0]) for row in described]
        text = ", ".join(f"CAST({_name(name)} AS VARCHAR) AS {_name(name)}" for name in header)
        return f"(SELECT {text} FROM {relation})", header  # noqa: S608  # quoted names of the file's own columns

    def _csv(self, piece: Piece) -> tuple[str, list[str]]:
        target = self._scratch / "piece.csv"
        target.write_bytes(piece.content)
        names = [name.strip() or f"column_{position}" for position, name in enumerate(piece.header)]
        if len({name.lower() for name in names}) < len(names):
            raise ImportRefusedError(f"{piece.file} has two columns of the same name.")
        columns = ", ".join(f"'{quoted(name)}': 'VARCHAR'" for name in names)
        relation = (
            f"read_csv('{quoted(target)}', columns = {{{columns}}}, header = false, "
            f"auto_detect = false, delim = '{piece.delimiter}', quote = '\"', escape = '\"', nullstr = '', "
            "strict_mode = true, store_rejects = true, rejects_limit = 0, max_line_size = 1000000)"
        )
        return relation, names


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
