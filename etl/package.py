"""Reads the data package: what `datapackage.yaml` declares, and the cells of its files exactly as printed.

A file is read once: what is validated, hashed and loaded is the same, even if somebody edits it meanwhile.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import yaml

from etl.errors import DataError, Problem

DESCRIPTOR = "datapackage.yaml"
# A row of this data is some hundred bytes; a longer line is a quote that was never closed, or no CSV at all.
MAX_LINE_BYTES = 1_000_000
# Claims are kept by hand; all that ship are some MB. A file is read as a whole: its size bounds the memory.
MAX_FILE_BYTES = 64_000_000

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
# Names of tables and fields become SQL identifiers.
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Text:
    """The cells of one file as printed, by row (the header is row 1), and what is wrong with its shape.

    Attributes:
        rows: cells of each row that is not blank, as many as the table has fields.
        problems: why the file, or one of its rows, is not as declared.
        misshapen: rows that had too few or too many cells; what stands in them may have slipped.
        is_table: whether the rows can be examined at all.
    """

    rows: dict[int, list[str]]
    problems: tuple[Problem, ...]
    misshapen: frozenset[int] = frozenset()
    is_table: bool = True


@dataclass(frozen=True)
class Table:
    """One table as the descriptor declares it."""

    name: str
    path: Path
    file: str
    descriptor: dict[str, Any]
    schema: frictionless.Schema

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The declared fields, in file order."""
        fields: list[dict[str, Any]] = self.descriptor["schema"]["fields"]
        return fields

    @property
    def primary_key(self) -> list[str]:
        """Names of the key's fields."""
        return _as_list(self.descriptor["schema"].get("primaryKey", []))

    @property
    def unique_keys(self) -> list[list[str]]:
        """Every list of fields whose values may stand together once, the primary key first."""
        keys = [self.primary_key, *map(_as_list, self.descriptor.get("uniqueKeys", []))]
        keys += [[field["name"]] for field in self.fields if field.get("constraints", {}).get("unique")]
        return [key for position, key in enumerate(keys) if key and key not in keys[:position]]

    @property
    def foreign_keys(self) -> list[tuple[list[str], str, list[str]]]:
        """(own fields, table referred to, its fields); a table that refers to itself is named as itself."""
        return [
            (
                _as_list(key["fields"]),
                key["reference"].get("resource") or self.name,
                _as_list(key["reference"]["fields"]),
            )
            for key in self.descriptor["schema"].get("foreignKeys", [])
        ]

    @property
    def is_observation(self) -> bool:
        """Whether the table is in the row shape that all observations share."""
        return self.descriptor.get("shape") == "observation"

    def values(self, names: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
        """What is printed in these fields, row by row."""
        positions = [[field["name"] for field in self.fields].index(name) for name in names]
        for row, cells in self.text.rows.items():
            yield row, tuple(cells[position] for position in positions)

    @property
    def is_too_large(self) -> bool:
        """Whether the file is larger than any table that people keep."""
        return self.path.is_file() and self.path.stat().st_size > MAX_FILE_BYTES

    @cached_property
    def content(self) -> bytes | None:
        """The bytes of the file; None where there is none that can be read, or too many."""
        try:
            return None if self.is_too_large else self.path.read_bytes()
        except OSError:
            return None

    @cached_property
    def text(self) -> Text:
        """The cells of the file as printed."""
        return _read_text(self)


@dataclass(frozen=True)
class DataPackage:
    """The descriptor of the claims that ship, and the folder that it stands in."""

    folder: Path
    source: bytes
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table of that name; KeyError if there is none."""
        return {table.name: table for table in self.tables}[name]

    def input_hashes(self) -> dict[str, str]:
        """SHA-256 of every file by its name inside the folder; "missing" for one that is not there."""
        files = {DESCRIPTOR: self.source, **{table.file: table.content for table in self.tables}}
        return {
            name: "missing" if content is None else hashlib.sha256(content).hexdigest()
            for name, content in files.items()
        }


def read_package(folder: Path) -> DataPackage:
    """Read the descriptor.

    Raises:
        DataError: the descriptor is missing, is no YAML, or declares something that cannot be built.
    """
    try:
        source = (folder / DESCRIPTOR).read_bytes()
        descriptor = yaml.load(source.decode("utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        reason = (
            f"{folder / DESCRIPTOR} cannot be read ({error.strerror}); --data names the folder of the data"
        )
        raise DataError([_descriptor_problem(reason, "missing-file")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem(DESCRIPTOR, line, None, "encoding", "the line is not UTF-8; save the file as UTF-8")
        raise DataError([problem]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"broken YAML: {getattr(error, 'problem', None) or 'a character that YAML does not allow'}"
        raise DataError([Problem(DESCRIPTOR, mark and mark.line + 1, None, "broken-yaml", reason)]) from None
    checked = _checked(descriptor)
    tables = [
        Table(resource["name"], folder / resource["path"], resource["path"], resource, typed.schema)
        for resource, typed in zip(descriptor["resources"], checked.resources, strict=True)
    ]
    if problems := list(_key_problems(tables)) or list(_circle_problems(tables)):
        raise DataError(problems)
    return DataPackage(folder, source, tuple(tables))


def in_reference_order(tables: list[Table]) -> list[Table]:
    """The tables, each after those that it refers to.

    Raises:
        CycleError: two tables refer to each other.
    """
    by_name = {table.name: table for table in tables}
    order = TopologicalSorter(
        {table.name: {target for _, target, _ in table.foreign_keys} - {table.name} for table in tables}
    )
    return [by_name[name] for name in order.static_order()]


def load_text(connection: duckdb.DuckDBPyConnection, table: Table, name: str) -> None:
    """Create the temporary table `name`: `_row` and every field as printed; an empty cell is NULL."""
    rows = table.text.rows
    names = [declared["name"] for declared in table.fields]
    columns = {
        f"column_{position}": [cells[position] or None for cells in rows.values()]
        for position in range(len(names))
    }
    unnested = ", ".join(
        f'unnest(${column}::VARCHAR[]) AS "{name}"' for column, name in zip(columns, names, strict=True)
    )
    connection.execute(
        f'CREATE TEMP TABLE "{name}" AS SELECT unnest($rows::BIGINT[]) AS _row, {unnested}',
        {"rows": list(rows), **columns},
    )


def union_observations(
    connection: duckdb.DuckDBPyConnection, tables: tuple[Table, ...], name: str = "observation"
) -> None:
    """Create a temporary table of all rows in the shared row shape; `dataset` names their table."""
    parts = [
        f"SELECT '{table.name}' AS dataset, * FROM \"{table.name}\""  # noqa: S608  # a checked name
        for table in tables
        if table.is_observation
    ]
    if parts:
        connection.execute(f'CREATE TEMP TABLE "{name}" AS {" UNION ALL BY NAME ".join(parts)}')


def identifiers(names: list[str]) -> str:
    """Names of fields as they stand in a statement."""
    return ", ".join(f'"{name}"' for name in names)


class _NoTableError(Exception):
    """A file cannot be examined as a table: the rule that it breaks, a sentence, the row if there is one."""

    def __init__(self, rule: str, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.rule, self.message, self.row = rule, message, row


def _read_text(table: Table) -> Text:
    try:
        text = _decoded(table)
        return _parsed(table, text)
    except _NoTableError as error:
        problem = Problem(table.file, error.row, None, error.rule, error.message)
        return Text({}, (problem,), is_table=False)


def _decoded(table: Table) -> str:
    """The text of a file. What is wrong is told from its bytes, so that one defect is one clear sentence."""
    content = table.content
    if content is None and table.is_too_large:
        size = f"the file has {table.path.stat().st_size:,} bytes, and {MAX_FILE_BYTES:,} are allowed"
        raise _NoTableError("large-file", f"{size}; claims are kept by hand, is this another data set?")
    if content is None:
        raise _NoTableError("missing-file", f"the file is missing; restore it or edit {DESCRIPTOR}")
    if not content.strip():
        raise _NoTableError("empty-file", "the file is empty; it needs its header row and its rows")
    if content.startswith(b"\xef\xbb\xbf"):
        raise _NoTableError(
            "byte-order-mark", "the file starts with a byte-order mark; save it without BOM", 1
        )
    for row, line in enumerate(content.splitlines(), 1):
        if len(line) > MAX_LINE_BYTES:
            limit = f"the line has {len(line):,} bytes, and {MAX_LINE_BYTES:,} are allowed"
            raise _NoTableError("long-line", f"{limit}; was a quote left open?", row)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = error.start - content.rfind(b"\n", 0, error.start)
        message = f"byte {place} of the line is not UTF-8 (Latin-1?); save the file as UTF-8"
        row = content.count(b"\n", 0, error.start) + 1
        raise _NoTableError("encoding", message, row) from None


def _parsed(table: Table, text: str) -> Text:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: dict[int, list[str]] = {}
    try:
        rows.update(enumerate(reader, 1))
    except csv.Error:
        message = "a quote is opened in this row and never closed properly"
        raise _NoTableError("open-quote", message, len(rows) + 1) from None
    if problems := tuple(_header_problems(table, rows.pop(1))):
        return Text({}, problems, is_table=False)
    if not rows:
        message = f"the file has a header and no rows; restore them or edit {DESCRIPTOR}"
        raise _NoTableError("no-rows", message)
    width = len(table.fields)
    misshapen = {row: cells for row, cells in rows.items() if len(cells) != width or not any(cells)}
    return Text(
        {row: (cells + [""] * width)[:width] for row, cells in rows.items() if any(cells)},
        tuple(
            Problem(table.file, row, None, *_row_problem(cells, width)) for row, cells in misshapen.items()
        ),
        frozenset(misshapen),
    )


def _header_problems(table: Table, header: list[str]) -> Iterator[Problem]:
    declared = [field["name"] for field in table.fields]
    for name in declared:
        if name not in header:
            yield Problem(table.file, 1, name, "missing-column", "the column is missing")
    for name in dict.fromkeys(header):
        if name not in declared:
            message = f"the column is not declared; remove it or declare it in {DESCRIPTOR}"
            yield Problem(table.file, 1, name or "(no name)", "undeclared-column", message)
        elif header.count(name) > 1:
            yield Problem(table.file, 1, name, "repeated-column", "the column stands there more than once")
    if header != declared and sorted(header) == sorted(declared):
        order = f"the columns stand in another order than declared: {', '.join(declared)}"
        yield Problem(table.file, 1, None, "column-order", order)


def _row_problem(cells: list[str], width: int) -> tuple[str, str]:
    if not any(cells):
        return "blank-row", "the row is blank; take it out"
    many = len(cells) > width
    hint = "a text with a comma needs quotes around it" if many else "is a comma missing?"
    return "row-length", f"the row has {len(cells)} cells where the header has {width}; {hint}"


def _checked(descriptor: object) -> frictionless.Package:
    """The descriptor as Frictionless understands it.

    Raises:
        DataError: it is no Data Package, or declares what the warehouse cannot hold.
    """
    if not isinstance(descriptor, dict) or not descriptor.get("resources"):
        raise DataError([_descriptor_problem("it declares no resources", "descriptor")])
    package, reasons = None, []
    try:
        package = frictionless.Package.from_descriptor(descriptor)
    except frictionless.FrictionlessException as error:
        reasons = [reason.note for reason in error.reasons or [error.error]]
    # Frictionless does not say which field has a type that it does not know; the loop below does.
    if not all(reason.startswith("field type") for reason in reasons):
        raise DataError(
            _descriptor_problem(f"it is no valid Data Package: {reason}", "descriptor") for reason in reasons
        )
    problems = [
        _descriptor_problem(f"the table '{resource['name']}' {message}", rule)
        for resource in descriptor["resources"]
        for rule, message in _resource_problems(resource)
    ]
    if problems or package is None:
        raise DataError(problems)
    return package


def _resource_problems(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    schema = resource.get("schema")
    if not _NAME.fullmatch(resource["name"]):
        yield "table-name", "needs a name of small letters, digits and underscores"
    if not isinstance(resource.get("path"), str):
        yield "path", "needs one path, the name of its file"
    if not isinstance(schema, dict) or not schema.get("fields"):
        yield "fields", "declares no fields"
        return
    for declared in schema["fields"]:
        name, kind = declared["name"], declared.get("type")
        if not _NAME.fullmatch(name):
            yield "field-name", f"has the field '{name}'; a name has small letters, digits and underscores"
        if kind not in DUCKDB_TYPES:
            known = ", ".join(DUCKDB_TYPES)
            yield "field-type", f"gives the field '{name}' the type '{kind}'; the known types are {known}"
        for limit, value in declared.get("constraints", {}).items():
            if not _can_be_held(limit, value):
                yield "constraint", f"gives the field '{name}' the {limit} '{value}', which cannot be checked"


def _can_be_held(limit: str, value: object) -> bool:
    if limit in {"minimum", "maximum"}:
        return isinstance(value, (int, float))
    if limit != "pattern":
        return True
    try:
        re.compile(str(value))
    except re.error:
        return False
    return True


def _key_problems(tables: list[Table]) -> Iterator[Problem]:
    """Keys that name tables or fields which are not declared."""
    fields = {table.name: {declared["name"] for declared in table.fields} for table in tables}
    for table in tables:
        for own, target, theirs in table.foreign_keys:
            for name, wanted in ((table.name, own), (target, theirs)):
                if missing := sorted(set(wanted) - fields.get(name, set())):
                    message = f"a foreign key of '{table.name}' names {', '.join(missing)} of '{name}', "
                    yield _descriptor_problem(f"{message}which is not declared", "foreign-key")
        for key in table.unique_keys:
            if unknown := sorted(set(key) - fields[table.name]):
                message = f"a key of '{table.name}' names {', '.join(unknown)}, which is not declared"
                yield _descriptor_problem(message, "key")


def _circle_problems(tables: list[Table]) -> Iterator[Problem]:
    try:
        in_reference_order(tables)
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        yield _descriptor_problem(f"tables refer to each other in a circle: {circle}", "foreign-key")


def _descriptor_problem(message: str, rule: str) -> Problem:
    return Problem(DESCRIPTOR, None, None, rule, message)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
