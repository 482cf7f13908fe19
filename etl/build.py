"""The pipeline: package -> stage -> marts -> checks -> new build file -> CURRENT.

A build is a pure function of the data package, of the snapshots that it names (imported records of pay,
answers of live sources), and of this code: the same inputs give the same content hash.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from etl import __version__, salary_model
from etl.errors import AtlasError, DamagedBuildError, DataError, Problem, first_line
from etl.gate import HeldError, reasons_to_hold
from etl.microdata import staging
from etl.package import (
    DUCKDB_TYPES,
    DataPackage,
    Table,
    identifiers,
    in_reference_order,
    load_text,
    read_package,
    union_observations,
)
from etl.rules import header_and_body, load_rules
from etl.settings import Settings
from etl.snapshots import Snapshot, snapshots_for_build
from etl.sources import staging as live
from etl.validation import validate
from etl.warehouse import Build, Home, connect, content_hash, is_sound, open_read_only, quoted

# Readers of the downloadable file may still use DuckDB 1.5; a file in the newest format would shut them out.
STORAGE_VERSION = "v1.5.0"
# Tables of some hundred rows: the usual 256 kB a column would make the file twenty times its content.
BLOCK_SIZE = 16384
MAX_ROWS_KEPT_PER_CHECK = 100

_MANIFEST = """
CREATE SCHEMA meta;
CREATE TABLE meta.build (
    built_at TIMESTAMP, content_hash VARCHAR, input_hash VARCHAR, atlas_version VARCHAR,
    duckdb_version VARCHAR, python_version VARCHAR
);
CREATE TABLE meta.input (name VARCHAR, sha256 VARCHAR);
CREATE TABLE meta.check_result (name VARCHAR, severity VARCHAR, description VARCHAR, offending_rows BIGINT);
CREATE TABLE meta.check_row (name VARCHAR, position BIGINT, found JSON);
CREATE TABLE meta.table_info (name VARCHAR, kind VARCHAR, title VARCHAR, description VARCHAR, rows BIGINT);
CREATE TABLE meta.field_info (
    table_name VARCHAR, position BIGINT, name VARCHAR, title VARCHAR, description VARCHAR
);
"""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Mart:
    """A table shaped for one question, as its .sql file declares it."""

    name: str
    description: str
    columns: dict[str, str]
    sql: str

    def reads(self, names: Iterable[str]) -> set[str]:
        """Which of these tables the statement reads."""
        used = set(re.findall(r"\b(?:from|join)\s+(\w+)", self.sql, flags=re.IGNORECASE))
        return used & set(names)


@dataclass(frozen=True)
class BuildResult:
    """What a call of `build` came to: a new build was published, or the current one holds the same."""

    build: Build
    published: bool
    rows: dict[str, int]
    warnings: dict[str, int]
    removed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """JSON-ready values."""
        return {
            **self.build.as_dict(),
            "published": self.published,
            "rows": self.rows,
            "warnings": self.warnings,
            "removed": list(self.removed),
        }


def build(settings: Settings, report: Report = lambda _: None, *, accept: bool = False) -> BuildResult:
    """Build the warehouse from `settings.data` and publish it in `settings.home`.

    Nothing is published where the current build was made from the same inputs, or came out the same, or where
    the figures of live sources differ from the current build's as `gate` tells, unless `accept` is true.

    Raises:
        DataError: the data break a rule; CURRENT stays as it was.
        HeldError: the build was held back; CURRENT stays as it was.
        HomeError: the home cannot be written.
    """
    report("Reading the data package")
    package = read_package(settings.data)
    home = Home(settings.home)
    with home.writing():
        snapshots = snapshots_for_build(settings.data, settings.home)
        current = home.current()
        if current and _input_hash_of(current) == input_hash(package, snapshots) and is_sound(current):
            return BuildResult(current, False, *_summary_of(current))
        report("Validating the data package")
        if problems := validate(package):
            raise DataError(problems)
        unfinished = home.new_file()
        made = datetime.now(UTC)
        digest, rows, warnings = write_warehouse(unfinished, package, made, report, snapshots)
        if current and digest.startswith(current.content_hash) and is_sound(current):
            return BuildResult(current, False, rows, warnings)
        if current and not accept and is_sound(current):
            report("Comparing with the build before")
            if reasons := reasons_to_hold(current.path, unfinished, settings.gate_changed_percent):
                raise HeldError(reasons)
        published = home.publish(unfinished, digest, made)
        removed = home.retain(settings.keep_builds)
        return BuildResult(published, True, rows, warnings, tuple(gone.build_id for gone in removed))


def needs_build(settings: Settings) -> bool:
    """Whether the newest build is of other inputs or other code. Not the current one, so a rollback stays."""
    home = Home(settings.home)
    builds = home.builds()
    if not builds or home.is_interrupted():
        return True
    snapshots = snapshots_for_build(settings.data, settings.home)
    return _input_hash_of(builds[0]) != input_hash(read_package(settings.data), snapshots)


def write_warehouse(
    path: Path,
    package: DataPackage,
    made: datetime,
    report: Report = lambda _: None,
    snapshots: Sequence[Snapshot] = (),
) -> tuple[str, dict[str, int], dict[str, int]]:
    """Write a whole build file; returns its content hash, the rows of each table and of each broken warning.

    Raises:
        DataError: a blocking check found rows.
    """
    options = f"STORAGE_VERSION '{STORAGE_VERSION}', BLOCK_SIZE {BLOCK_SIZE}"
    with connect() as connection:
        connection.execute(f"ATTACH '{quoted(path)}' AS warehouse ({options}); USE warehouse; BEGIN")
        connection.execute(_MANIFEST)
        report("Staging the shipped claims")
        stage(connection, package)
        report("Staging what was imported and refreshed")
        staging.stage_snapshots(connection, [each for each in snapshots if not each.is_live])
        live.stage_live(connection, snapshots)
        live.place_among(connection)
        report("Shaping the marts")
        marts = make_marts(connection)
        report("Fitting the model of pay")
        salary_model.fit_in_build(connection)
        report("Checking what was built")
        warnings = run_checks(connection)
        rows = describe(connection, package, marts)
        digest = content_hash(connection)
        write_manifest(connection, package, digest, made, snapshots)
        connection.execute("COMMIT; USE memory; CHECKPOINT warehouse; DETACH warehouse")
    return digest, rows, warnings


def stage(connection: duckdb.DuckDBPyConnection, package: DataPackage) -> None:
    """Load every table with its keys, references and checks, so that what must not exist cannot be loaded."""
    for table in in_reference_order(list(package.tables)):
        load_text(connection, table, f"text_{table.name}")
        columns = ", ".join(
            f'CAST("{declared["name"]}" AS {DUCKDB_TYPES[declared["type"]]})' for declared in table.fields
        )
        connection.execute(table_definition(table))
        try:
            connection.execute(
                f'INSERT INTO "{table.name}" SELECT {columns} FROM "text_{table.name}" ORDER BY _row'  # noqa: S608  # checked names
            )
        except (duckdb.ConstraintException, duckdb.ConversionException) as error:
            raise AtlasError(f"{table.file} cannot be loaded: {first_line(error)}") from error
    union_observations(connection, package.tables, "shipped_observation")


def table_definition(table: Table) -> str:
    """The CREATE TABLE statement for a table, made from its one declaration in the descriptor."""
    parts = [_column_definition(declared) for declared in table.fields]
    if table.primary_key:
        parts.append(f"PRIMARY KEY ({identifiers(table.primary_key)})")
    for own, target, theirs in table.foreign_keys:
        # DuckDB checks row by row: a reference into the same table would forbid rows that name later ones.
        if target != table.name:
            parts.append(f'FOREIGN KEY ({identifiers(own)}) REFERENCES "{target}" ({identifiers(theirs)})')
    return f'CREATE TABLE "{table.name}" ({", ".join(parts)})'


def make_marts(connection: duckdb.DuckDBPyConnection) -> list[Mart]:
    """Create every mart of sql/marts, each after those that it reads."""
    marts = {mart.name: mart for mart in load_marts()}
    order = TopologicalSorter({mart.name: mart.reads(marts) - {mart.name} for mart in marts.values()})
    made = [marts[name] for name in order.static_order()]
    for mart in made:
        try:
            connection.execute(f"CREATE TABLE {mart.name} AS {mart.sql}")
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise AtlasError(f"The mart {mart.name} cannot be made: {error}") from error
    return made


def load_marts() -> list[Mart]:
    """Read sql/marts: the comment on top says what a row is and titles the columns that no table declares."""
    marts = []
    for path in sorted((files("etl") / "sql" / "marts").iterdir(), key=lambda p: p.name):
        header, sql = header_and_body(path.read_text(encoding="utf-8"))
        titled = [re.fullmatch(r"([a-z_0-9]+): (.+)", line) for line in header]
        columns = {found[1]: found[2] for found in titled if found}
        words = " ".join(line for line, found in zip(header, titled, strict=True) if not found)
        marts.append(Mart(path.name.removesuffix(".sql"), words, columns, sql))
    return marts


def run_checks(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Run every rule of the marts and keep the results in the build; returns the rows of each broken warning.

    Raises:
        DataError: a blocking rule is broken.
    """
    problems: list[Problem] = []
    warnings = {}
    # The rules of the package held, or there would be no build; readers are told of them all the same.
    _insert(
        connection,
        "meta.check_result",
        [(rule.name, rule.severity, rule.description, 0) for rule in load_rules("package")],
    )
    for rule in load_rules("mart"):
        cursor = connection.execute(rule.sql)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        # Sorted, since the order that a query without one answers in is no content.
        found = sorted(json.dumps(row, default=str) for row in rows)[:MAX_ROWS_KEPT_PER_CHECK]
        connection.execute(
            "INSERT INTO meta.check_result VALUES (?, ?, ?, ?)",
            [rule.name, rule.severity, rule.description, len(rows)],
        )
        _insert(
            connection,
            "meta.check_row",
            [(rule.name, position, row) for position, row in enumerate(found, 1)],
        )
        if rule.severity == "blocking":
            problems += [_check_problem(rule.name, rule.description, row) for row in rows]
        elif rows:
            warnings[rule.name] = len(rows)
    if problems:
        raise DataError(problems, what="The build has")
    return warnings


def describe(
    connection: duckdb.DuckDBPyConnection, package: DataPackage, marts: list[Mart]
) -> dict[str, int]:
    """Write what every table and column means into the build; returns the rows of each table."""
    known = [
        (
            table.name,
            "table",
            table.descriptor.get("title", table.name),
            table.descriptor.get("description", ""),
        )
        for table in package.tables
    ]
    known.append(
        ("observation", "table", "Observations", "All observations of all tables in the shared shape.")
    )
    own = (*staging.TABLES, *live.TABLES, *salary_model.TABLES)
    known += [(name, "table", title, description) for name, title, description in own]
    known += [
        (mart.name, "mart", mart.name.replace("_", " ").capitalize(), mart.description) for mart in marts
    ]
    declared = {field["name"]: field for table in reversed(package.tables) for field in table.fields}
    mart_titles = {column: title for mart in marts for column, title in mart.columns.items()}
    mart_titles = {**staging.TITLES, **live.TITLES, **salary_model.TITLES, **mart_titles}
    own_titles = {mart.name: mart.columns for mart in marts}
    tables, fields = [], []
    for name, kind, title, description in known:
        relation = connection.table(name)
        tables.append((name, kind, title, description, relation.shape[0]))
        connection.execute(f"COMMENT ON TABLE \"{name}\" IS '{quoted(description)}'")
        for position, column in enumerate(relation.columns, 1):
            field = declared.get(column, {})
            heading = (
                own_titles.get(name, {}).get(column) or field.get("title") or mart_titles.get(column, "")
            )
            fields.append((name, position, column, heading, field.get("description", "")))
    _insert(connection, "meta.table_info", tables)
    _insert(connection, "meta.field_info", fields)
    return {name: rows for name, *_, rows in tables}


def write_manifest(
    connection: duckdb.DuckDBPyConnection,
    package: DataPackage,
    digest: str,
    made: datetime,
    snapshots: Sequence[Snapshot] = (),
) -> None:
    """Write which inputs, versions and moment this build comes from."""
    connection.execute(
        "INSERT INTO meta.build VALUES (?, ?, ?, ?, ?, ?)",
        [
            made.replace(tzinfo=None),
            digest,
            input_hash(package, snapshots),
            __version__,
            duckdb.__version__,
            platform.python_version(),
        ],
    )
    _insert(connection, "meta.input", list(_inputs(package, snapshots).items()))


def input_hash(package: DataPackage, snapshots: Sequence[Snapshot] = ()) -> str:
    """One hash over everything that decides what a build will hold."""
    return hashlib.sha256(json.dumps(_inputs(package, snapshots), sort_keys=True).encode()).hexdigest()


def _inputs(package: DataPackage, snapshots: Sequence[Snapshot]) -> dict[str, str]:
    here = Path(__file__).parent
    code = {
        f"etl/{path.relative_to(here).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(here.rglob("*"))
        if path.suffix in {".py", ".sql"}
    }
    imported = {name: digest for each in snapshots for name, digest in each.input_hashes().items()}
    return {**package.input_hashes(), **imported, **code, "duckdb": duckdb.__version__}


def _input_hash_of(build: Build) -> str | None:
    """From which inputs a build was made; None where it cannot be read."""
    try:
        with open_read_only(build.path) as connection:
            found = connection.execute("SELECT input_hash FROM meta.build").fetchone()
    except (duckdb.Error, DamagedBuildError):
        return None
    return str(found[0]) if found else None


def _summary_of(build: Build) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of each table and of each broken warning of a build, as its manifest has them."""
    with open_read_only(build.path) as connection:
        rows = connection.execute("SELECT name, rows FROM meta.table_info ORDER BY rowid").fetchall()
        warnings = connection.execute(
            "SELECT name, offending_rows FROM meta.check_result WHERE offending_rows > 0 ORDER BY name"
        ).fetchall()
    return dict(rows), dict(warnings)


def _column_definition(declared: dict[str, Any]) -> str:
    name, limits = f'"{declared["name"]}"', declared.get("constraints", {})
    definition = f"{name} {DUCKDB_TYPES[declared['type']]}"
    if limits.get("required"):
        definition += " NOT NULL"
    if "enum" in limits:
        values = ", ".join(f"'{quoted(value)}'" for value in limits["enum"])
        definition += f" CHECK ({name} IN ({values}))"
    if "minimum" in limits:
        definition += f" CHECK ({name} >= {limits['minimum']})"
    if "maximum" in limits:
        definition += f" CHECK ({name} <= {limits['maximum']})"
    return definition


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Add rows in one statement; one statement a row takes longer than everything else together."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        unnested = ", ".join(["unnest(?)"] * len(columns))
        connection.execute(f"INSERT INTO {table} SELECT {unnested}", columns)  # our own table


def _check_problem(name: str, description: str, row: dict[str, Any]) -> Problem:
    told = ", ".join(f"{key} {value}" for key, value in row.items() if value is not None)
    rule = description[:1].lower() + description[1:].rstrip(".")
    return Problem("build", None, None, name, f"{told}: breaks the rule that {rule}")
