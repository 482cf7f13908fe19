"""Loads imported snapshots, and the cells that ship, into a build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from etl.errors import AtlasError
from etl.microdata.tables import SHAPES, TABLE_READERS
from etl.snapshots import CELLS, Snapshot
from etl.warehouse import quoted

# Name, title, what a row is.
TABLES: tuple[tuple[str, str, str], ...] = (
    (
        "pay_cell",
        "Cells of pay records",
        "One row is one set of coordinates and pay in thousands of US dollars, with its records.",
    ),
    (
        "pay_import",
        "Imports of pay records",
        "One row is one source: what was read of it, taken, left out and rejected.",
    ),
    (
        "pay_reason",
        "Why records were not taken",
        "One row is one reason why records of a source were not taken, or one title without role.",
    ),
    ("pay_bracket", "Brackets of pay", "One row is one bracket of pay of a survey, with its respondents."),
    ("wage_statistic", "Official wages", "One row is one occupation in one US area and year."),
    (
        "visa_petition",
        "Visa petitions",
        "One row is one employer's petitions in one city, industry and year.",
    ),
)
# Headings of the columns that no other table has.
TITLES = {
    "edition": "Edition",
    "rows": "Rows",
    "reason": "Reason",
    "kind": "Kind",
    "country": "Country",
    "is_shipped": "Ships with the product",
    "accepted": "Rows taken",
    "left_out": "Rows left out",
    "rejected": "Rows rejected",
    "mapped": "Records with a role",
    "excluded": "Records whose title is no role",
    "unmapped": "Records with an unknown title",
    "records": "Records",
    "least_usd": "Least pay (US$)",
    "most_usd": "Most pay (US$)",
    "respondents": "Respondents",
    "area": "Area",
    "state": "State",
    "occupation_code": "Occupation code",
    "occupation": "Occupation",
    "employees": "Employees",
    "mean_usd": "Mean pay (US$)",
    "p10_usd": "10th percentile (US$)",
    "p25_usd": "25th percentile (US$)",
    "median_usd": "Median pay (US$)",
    "p75_usd": "75th percentile (US$)",
    "p90_usd": "90th percentile (US$)",
    "price_parity": "Price level (United States = 100)",
    "employer": "Employer",
    "city": "City",
    "industry_code": "Industry code",
    "initial_approvals": "Initial petitions approved",
    "initial_denials": "Initial petitions denied",
    "continuing_approvals": "Continuing petitions approved",
    "continuing_denials": "Continuing petitions denied",
}
_CELL = """
CREATE TABLE pay_cell (
    source VARCHAR NOT NULL, year INTEGER NOT NULL, role_id VARCHAR, title VARCHAR, experience VARCHAR,
    employment VARCHAR, residence VARCHAR, company_country VARCHAR, remote SMALLINT, company_size VARCHAR,
    salary_k INTEGER NOT NULL CHECK (salary_k >= 0), reports BIGINT NOT NULL CHECK (reports >= 0),
    paired_reports BIGINT NOT NULL CHECK (paired_reports >= 0), postings BIGINT NOT NULL CHECK (postings >= 0)
);
CREATE TABLE pay_import (
    source VARCHAR PRIMARY KEY, edition VARCHAR, is_shipped BOOLEAN, rows BIGINT, accepted BIGINT,
    left_out BIGINT, rejected BIGINT, mapped BIGINT, excluded BIGINT, unmapped BIGINT
);
CREATE TABLE pay_reason (source VARCHAR, kind VARCHAR, reason VARCHAR, records BIGINT);
"""


def stage_snapshots(connection: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot]) -> None:
    """Create the tables of TABLES and fill them; without snapshots they are there and empty.

    Raises:
        AtlasError: a snapshot is damaged.
    """
    connection.execute(_CELL)
    for name, columns in SHAPES.items():
        declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({declared})")
    for snapshot in snapshots:
        _stage(connection, snapshot)


def _stage(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    manifest = snapshot.manifest
    shape = "pay_cell" if snapshot.content.name == CELLS else TABLE_READERS[snapshot.source].shape
    try:
        connection.execute(
            f"INSERT INTO {shape} BY NAME SELECT * FROM read_parquet('{quoted(snapshot.content)}')"  # noqa: S608  # one of TABLES
        )
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise AtlasError(f"{snapshot.content} cannot be loaded ({reason}); import it again.") from error
    titles = manifest.get("titles", {})
    connection.execute(
        "INSERT INTO pay_import VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            snapshot.source,
            manifest["snapshot"],
            snapshot.is_shipped,
            manifest["rows"],
            manifest["accepted"],
            sum(manifest["left_out"].values()),
            sum(manifest["rejected"].values()),
            *(titles.get(state) for state in ("mapped", "excluded", "unmapped")),
        ],
    )
    kinds = {"rejected": "rejected", "left_out": "left out", "unmapped_titles": "title without role"}
    _insert_reasons(
        connection,
        (
            (snapshot.source, words, reason, count)
            for kind, words in kinds.items()
            for reason, count in manifest.get(kind, {}).items()
        ),
    )


def _insert_reasons(connection: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str, str, str, int]]) -> None:
    for row in rows:
        connection.execute("INSERT INTO pay_reason VALUES (?, ?, ?, ?)", list(row))
