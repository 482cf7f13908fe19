"""Answers a reader's own SELECT over a build: one statement, read-only, sealed off, bounded in rows and time.

The engine does the sealing, not a list of words: the build is attached read-only to a connection of its own,
which can then reach no other file, no network and no setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from etl.errors import QueryError, first_line
from etl.warehouse import connect, quoted

MEMORY_LIMIT = "512MB"


@dataclass(frozen=True)
class Answer:
    """The rows of a query.

    Attributes:
        columns: names, in order.
        rows: values as Python objects, at most as many as asked for.
        is_cut: whether there were more.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def run_query(path: Path, sql: str, *, max_rows: int, seconds: float) -> Answer:
    """Run one SELECT over the build at `path`.

    Raises:
        QueryError: it is not one SELECT, it fails, or it takes too long or too much memory.
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(first_line(error)) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Ask one SELECT at a time; a build can only be read.")
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "max_execution_time": str(int(seconds * 1000)),
    }
    try:
        # Attached, not opened: the app has the same file open already, with other settings.
        with connect(config=config) as connection:
            connection.execute(f"ATTACH '{quoted(path)}' AS atlas (READ_ONLY)")
            connection.execute("USE atlas; SET enable_external_access = false; SET lock_configuration = true")
            cursor = connection.execute(statements[0])
            columns = tuple(column[0] for column in cursor.description)
            rows = cursor.fetchmany(max_rows + 1)
    except duckdb.Error as error:
        raise QueryError(first_line(error)) from error
    return Answer(columns, rows[:max_rows], len(rows) > max_rows)
