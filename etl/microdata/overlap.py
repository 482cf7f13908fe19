"""Finds files that hold the records of another one: vintages of one file, each holding the one before."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from etl.errors import ImportRefusedError

# Records repeat by themselves, but not in the same order: so many in a row mark a place in a file.
_IN_A_ROW = 8
_LEAST_MARKS = 10
_MOST_ALIKE = 0.5
# A file with more records than this is no vintage of a published one, and comparing takes a while.
_MOST_RECORDS = 2_000_000


def refuse_overlap(connection: duckdb.DuckDBPyConnection, files: Mapping[int, str]) -> None:
    """Refuse files of which one holds most records of another, in the same order: they would count twice.

    Args:
        connection: a database with the table `record`.
        files: their names by the numbers that they have there.

    Raises:
        ImportRefusedError: so it is.
    """
    following = ", ".join(
        f"lead({column}, {step}) OVER in_file"
        for step in range(_IN_A_ROW)
        for column in ("combination_id", "pay_usd")
    )
    found = connection.execute(
        f"""
        WITH mark AS (
            SELECT file_no, hash({following}) AS mark FROM record
            WHERE file_no IN (SELECT file_no FROM record GROUP BY file_no HAVING count(*) <= {_MOST_RECORDS})
            WINDOW in_file AS (PARTITION BY file_no ORDER BY row_no)
            QUALIFY lead(row_no, {_IN_A_ROW - 1}) OVER in_file IS NOT NULL
        ),

        length AS (SELECT file_no, count(*) AS marks FROM mark GROUP BY file_no)

        SELECT inside.file_no, around.file_no
        FROM mark AS inside
        JOIN (SELECT DISTINCT file_no, mark FROM mark) AS around USING (mark)
        JOIN length AS shorter ON shorter.file_no = inside.file_no
        JOIN length AS longer ON longer.file_no = around.file_no
        WHERE (shorter.marks, inside.file_no) < (longer.marks, around.file_no)
            AND shorter.marks >= {_LEAST_MARKS}
        GROUP BY inside.file_no, around.file_no, shorter.marks
        HAVING count(*) > {_MOST_ALIKE} * shorter.marks
        ORDER BY inside.file_no, around.file_no
        """  # noqa: S608  # constants of this program
    ).fetchall()
    if not found:
        return
    held = dict.fromkeys(files[inside] for inside, _ in found)
    around = dict.fromkeys(files[around] for _, around in found if files[around] not in held)
    raise ImportRefusedError(
        f"Most records of {', '.join(held)} stand in {', '.join(around)} too, so they would count twice; "
        "of the vintages of one file name one."
    )
