"""Finds everything that is wrong with a data package at once, each defect as one sentence.

Four layers, from bytes to meaning: is each file a table as declared (`etl.package`); does each cell keep its
declared type and constraints (Frictionless); do keys and references hold; do the tables agree with each other
(the rules in `sql/checks` of the stage package). What one problem hides is not reported as another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb

from etl.errors import Problem, first_line
from etl.package import (
    DESCRIPTOR,
    DUCKDB_TYPES,
    DataPackage,
    Table,
    load_text,
    union_observations,
)
from etl.rules import load_rules
from etl.warehouse import connect

MAX_ROWS_TOLD = 10

_TYPES_IN_WORDS = {
    "integer": "a whole number",
    "number": "a plain number like 1300.5",
    "boolean": "true or false",
    "date": "a date like 2026-03-31",
}


def validate(package: DataPackage) -> list[Problem]:
    """Everything that is wrong with the package's tables; an empty list when nothing is."""
    found = [problem for table in package.tables for problem in table.text.problems]
    for table in package.tables:
        found += [*_broken_cells(table), *_repeated_keys(table), *_broken_references(table, package)]
    found += _broken_rules(package)
    return sorted(_one_per_defect(package, found), key=lambda problem: problem.place)


def _stage_leniently(connection: duckdb.DuckDBPyConnection, package: DataPackage) -> None:
    """Load every table with `_row` and without constraints; a cell of another type becomes missing.

    So that the rules between tables can speak even when single cells are wrong. A file that could not be read
    in full is listed in `unread`, so that a rule does not take its rows for missing.
    """
    connection.execute("CREATE TEMP TABLE unread (name VARCHAR)")
    for table in package.tables:
        load_text(connection, table, f"text_{table.name}")
        columns = ", ".join(
            f'TRY_CAST("{declared["name"]}" AS {DUCKDB_TYPES[declared["type"]]}) AS "{declared["name"]}"'
            for declared in table.fields
        )
        connection.execute(
            f'CREATE TEMP TABLE "{table.name}" AS SELECT _row, {columns} FROM "text_{table.name}" '  # noqa: S608  # checked names
            "WHERE NOT list_contains($misshapen::BIGINT[], _row)",
            {"misshapen": list(table.text.misshapen)},
        )
        if table.text.problems:
            connection.execute("INSERT INTO unread VALUES (?)", [table.name])
    union_observations(connection, package.tables)


def _broken_cells(table: Table) -> Iterator[Problem]:
    """Cells that do not keep to their field's type and constraints: what Frictionless says, in our words."""
    for position, (declared, field) in enumerate(zip(table.fields, table.schema.fields, strict=True)):
        rows_of: dict[str, list[int]] = {}
        for row, cells in table.text.rows.items():
            rows_of.setdefault(cells[position], []).append(row)
        read = field.create_cell_reader()
        for cell, rows in rows_of.items():
            _, notes = read(cell)
            rule = (
                "type" if cell and not _is_printed_as(declared["type"], cell) else next(iter(notes or ()), "")
            )
            if rule:
                message = _in_words(rule, declared, cell)
                yield from (Problem(table.file, row, declared["name"], rule, message) for row in rows)


def _is_printed_as(kind: str, cell: str) -> bool:
    """Whether a number is plain digits that fit; Frictionless also takes 1_000, 1e3, NaN and infinity."""
    if kind == "integer":
        return bool(re.fullmatch(r"-?\d{1,18}", cell))
    return kind != "number" or bool(re.fullmatch(r"-?\d{1,300}(\.\d+)?", cell))


def _in_words(rule: str, declared: dict[str, Any], cell: str) -> str:
    """The sentence for a cell that breaks a rule of its field."""
    shown, allowed = _short(cell), declared.get("constraints", {}).get(rule)
    choices = ", ".join(map(str, allowed)) if isinstance(allowed, list) else ""
    sentences = {
        "type": f"{shown} is not {_TYPES_IN_WORDS.get(declared['type'])}",
        "required": "the cell is empty, and a value is required",
        "minimum": f"{shown} is below {allowed}, the smallest value allowed",
        "maximum": f"{shown} is above {allowed}, the largest value allowed",
        "enum": f"{shown} is not one of {choices}",
        "pattern": f"{shown} is not written as declared: {declared.get('description') or allowed}",
    }
    return sentences.get(rule, f"{shown} breaks the constraint {rule} {allowed}")


def _repeated_keys(table: Table) -> Iterator[Problem]:
    """Rows whose key stands in an earlier row; an empty cell is required elsewhere, if at all."""
    for key in table.unique_keys:
        first_row: dict[tuple[str, ...], int] = {}
        for row, values in table.values(key):
            first = first_row.setdefault(values, row)
            if first != row and any(values):
                message = (
                    f"{_short(', '.join(values))} stands in row {first} already, and each may occur once"
                )
                yield Problem(table.file, row, ", ".join(key), "unique", message)


def _broken_references(table: Table, package: DataPackage) -> Iterator[Problem]:
    """Values that are not in the table referred to; one that is missing many times is one problem."""
    for own, target, theirs in table.foreign_keys:
        other = package.table(target)
        if not other.text.is_table:
            continue
        known = {values for _, values in other.values(theirs)}
        missing: dict[tuple[str, ...], list[int]] = {}
        for row, values in table.values(own):
            if all(values) and values not in known:
                missing.setdefault(values, []).append(row)
        for values, rows in missing.items():
            message = f"{_short(', '.join(values))} is not in {other.file}; add it there or correct it here"
            yield _problem(table.file, rows, ", ".join(own), "foreign-key", message)


def _broken_rules(package: DataPackage) -> Iterator[Problem]:
    """The rows that break a rule between the tables, as problems of the files that they stand in."""
    files = {table.name: table.file for table in package.tables}
    with connect() as connection:
        _stage_leniently(connection, package)
        for rule in load_rules("package"):
            try:
                broken = connection.execute(rule.sql).fetchall()
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                reason = f"the rule needs a table or field that is not declared: {first_line(error)}"
                yield Problem(DESCRIPTOR, None, None, rule.name, reason)
                continue
            for name, rows, field, message in broken:
                yield _problem(files[name], rows, field, rule.name, message)


def _one_per_defect(package: DataPackage, problems: list[Problem]) -> list[Problem]:
    """The first problem told of each cell, and one for a row whose cells have slipped."""
    misshapen = {(table.file, row) for table in package.tables for row in table.text.misshapen}
    kept: dict[object, Problem] = {}
    for problem in problems:
        if problem.field is None or problem.row is None or problem.row == 1:
            kept[problem] = problem
        elif (problem.file, problem.row) not in misshapen:
            kept.setdefault((problem.file, problem.row, problem.field), problem)
    return list(kept.values())


def _problem(file: str, rows: int | list[int], field: str, rule: str, message: str) -> Problem:
    """One problem, at the first of the rows that have it; the others are named in its sentence."""
    first, *others = rows if isinstance(rows, list) else [rows]
    if others:
        told = ", ".join(map(str, others[:MAX_ROWS_TOLD])) + (" …" if len(others) > MAX_ROWS_TOLD else "")
        message += f" (also {len(others):,} other row{'s' if len(others) > 1 else ''}: {told})"
    return Problem(file, first, field, rule, message)


def _short(value: object, limit: int = 60) -> str:
    text = str(value)
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"
