"""A small, true part of the shipped data package that a test may edit cell by cell."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import etl
from etl.errors import DataError
from etl.package import DESCRIPTOR, Table, read_package
from etl.settings import Settings
from etl.validation import validate

CLAIMS = ("forecast", "investment", "workforce")
ROWS_PER_TABLE = 8
# The live source that a small package can be refreshed from, and countries that it speaks of.
LIVE_SOURCE = "indeed"
PLACES = ("AUS", "CAN", "FRA", "GBR", "NLD", "USA")


@dataclass(frozen=True)
class PackageCopy:
    """A folder with a data package of its own. Rows are counted as in problems: the header is row 1."""

    folder: Path

    def path(self, file: str) -> Path:
        return self.folder / file

    def rows(self, file: str) -> list[dict[str, str]]:
        with self.path(file).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def write(self, file: str, rows: list[dict[str, str]]) -> None:
        with self.path(file).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def edit(self, file: str, row: int, **cells: str) -> dict[str, str]:
        """Change cells of one row; returns the row as it was."""
        rows = self.rows(file)
        before = dict(rows[row - 2])
        assert cells.keys() <= before.keys()
        rows[row - 2].update(cells)
        self.write(file, rows)
        return before

    def add(self, file: str, **cells: str) -> int:
        """Append a row that is empty but for these cells; returns its number."""
        rows = self.rows(file)
        assert cells.keys() <= rows[0].keys()
        rows.append({**dict.fromkeys(rows[0], ""), **cells})
        self.write(file, rows)
        return len(rows) + 1

    def forecast(self, claim_id: str, **cells: str) -> int:
        """Append a forecast of the whole generative-AI market of the world; returns its row."""
        whole = {
            "source_id": self.rows("market/forecasts.csv")[0]["source_id"],
            "attribution": self.rows("market/forecasts.csv")[0]["attribution"],
            "market_id": "generative_ai",
            "entity_id": "world",
        }
        return self.add("market/forecasts.csv", claim_id=claim_id, **{**whole, **cells})

    def edit_bytes(self, file: str, change: Callable[[bytes], bytes]) -> None:
        self.path(file).write_bytes(change(self.path(file).read_bytes()))

    def edit_descriptor(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the resources, by name, in place."""
        descriptor = yaml.safe_load(self.path(DESCRIPTOR).read_text(encoding="utf-8"))
        change({resource["name"]: resource for resource in descriptor["resources"]})
        self.path(DESCRIPTOR).write_text(yaml.safe_dump(descriptor, sort_keys=False), encoding="utf-8")

    def problems(self) -> list[str]:
        """Everything that is wrong, as a reader is told."""
        try:
            package = read_package(self.folder)
        except DataError as error:
            return [str(problem) for problem in error.problems]
        return [str(problem) for problem in validate(package)]

    def settings(self, home: Path) -> Settings:
        return Settings(home=home, data=self.folder)


def small_package(shipped: Path, target: Path) -> PackageCopy:
    """A few rows of each table that the SQL reads, with all the rows that these refer to."""
    package = read_package(shipped)
    read_by_sql = {
        found.removeprefix("text_")
        for file in (Path(etl.__file__).parent / "sql").rglob("*.sql")
        for found in re.findall(r"\b(?:from|join)\s+(\w+)", file.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    tables = {table.name: table for table in package.tables}
    needed = (read_by_sql & tables.keys()) | {*CLAIMS, "live_source", "live_target"}
    while more := {to for name in needed for _, to, _ in tables[name].foreign_keys} - needed:
        needed |= more
    kept = [table for table in package.tables if table.name in needed]
    rows = _closed_rows(kept)
    for table in kept:
        file = target / table.file
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow([field["name"] for field in table.fields])
            writer.writerows(table.text.rows[row] for row in sorted(rows[table.name]))
    descriptor = yaml.safe_load((shipped / DESCRIPTOR).read_text(encoding="utf-8"))
    descriptor["resources"] = [each for each in descriptor["resources"] if each["name"] in needed]
    (target / DESCRIPTOR).write_text(yaml.safe_dump(descriptor, sort_keys=False), encoding="utf-8")
    return PackageCopy(target)


def copied(package: PackageCopy, target: Path) -> PackageCopy:
    shutil.copytree(package.folder, target)
    return PackageCopy(target)


def _closed_rows(tables: list[Table]) -> dict[str, set[int]]:
    """Rows to keep: the first ones of tables that are referred to by none, and all that these refer to."""
    by_name = {table.name: table for table in tables}
    claims = {
        table.text.rows[row][0]: (table.name, row)
        for table in tables
        for row in table.text.rows
        if table.primary_key == ["claim_id"]
    }
    targets = {to for table in tables for own, to, _ in table.foreign_keys if to != table.name}
    rows: dict[str, set[int]] = {table.name: set() for table in tables}
    waiting = [
        (table.name, row)
        for table in tables
        if table.name in CLAIMS or table.name not in targets or table.name == "headline"
        for row in list(table.text.rows)[:ROWS_PER_TABLE]
    ]
    waiting += [
        (name, row)
        for name in ("live_source", "live_target")
        for row, (connector,) in by_name[name].values(["connector"])
        if connector == LIVE_SOURCE
    ]
    waiting += [("entity", row) for row, (name,) in by_name["entity"].values(["entity_id"]) if name in PLACES]
    while waiting:
        name, row = waiting.pop()
        if row in rows[name]:
            continue
        rows[name].add(row)
        table = by_name[name]
        cells = dict(zip([field["name"] for field in table.fields], table.text.rows[row], strict=True))
        waiting += [
            claims[cells[field]] for field in cells if field.endswith("claim_id") and cells[field] in claims
        ]
        for own, to, theirs in table.foreign_keys:
            waiting += _referred(by_name[to], theirs, [cells[field] for field in own])
    return rows


def _referred(table: Table, fields: list[str], values: list[str]) -> list[tuple[str, int]]:
    names = [field["name"] for field in table.fields]
    places = [names.index(field) for field in fields]
    return [
        (table.name, row)
        for row, cells in table.text.rows.items()
        if all(values) and [cells[place] for place in places] == values
    ]
