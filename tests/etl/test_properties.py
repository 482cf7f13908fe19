"""What holds for all numbers, not only for those that somebody thought of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from frictionless import Schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from etl.build import load_marts
from etl.package import Table, load_text
from etl.warehouse import content_hash

MARTS = {mart.name: mart.sql for mart in load_marts()}

amounts = st.decimals(min_value="0.01", max_value="99999", places=2)
rates = st.decimals(min_value="0.1", max_value="150", places=2)


# What the audit carries along and does not look at.
CARRIED = [
    "source_id",
    "publisher",
    "publisher_rank",
    "attribution",
    "market_id",
    "market_label",
    "entity_id",
    "place",
    "segment",
    "published",
    "published_year",
    "edition",
    "is_repeat",
    "is_whole_market",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database in memory for all examples of a property; each example replaces its tables."""
    with duckdb.connect() as opened:
        yield opened


def audited(
    connection: duckdb.DuckDBPyConnection, base: str, target: str, rate: str, years: int
) -> tuple[str, float]:
    """Verdict and relative error of one forecast, from the marts' own statements."""
    printed = (
        f"SELECT 'MF001' AS claim_id, '{base}' AS base_value_usd_bn, '{target}' AS forecast_value_usd_bn, "
    )
    connection.execute(f"CREATE OR REPLACE TABLE text_forecast AS {printed} '{rate}' AS cagr_pct")
    connection.execute(f"CREATE OR REPLACE TABLE forecast_rounding AS {MARTS['forecast_rounding']}")
    connection.execute(
        "CREATE OR REPLACE TABLE forecast_path AS SELECT claim_id, 2024 AS base_year, "
        f"2024 + {years} AS forecast_year, base_value_usd_bn::DOUBLE AS base_value_usd_bn, "
        "forecast_value_usd_bn::DOUBLE AS forecast_value_usd_bn, cagr_pct::DOUBLE AS cagr_pct, "
        + ", ".join(f"NULL AS {column}" for column in CARRIED)
        + " FROM text_forecast"
    )
    found = connection.execute(
        f"SELECT verdict, relative_error_pct FROM ({MARTS['forecast_arithmetic']})"
    ).fetchone()
    assert found is not None
    return found[0], found[1]


@settings(max_examples=60, deadline=None)
@given(base=amounts, rate=rates, years=st.integers(1, 12), places=st.integers(0, 3))
def test_a_growth_rate_applied_for_n_years_returns_the_end_value(
    connection: duckdb.DuckDBPyConnection, base: Decimal, rate: Decimal, years: int, places: int
) -> None:
    """However the target is rounded when it is printed, the audit calls the claim consistent."""
    target = f"{base * (1 + rate / 100) ** years:.{places}f}"
    assume(float(target) > 0)
    verdict, error = audited(connection, str(base), target, str(rate), years)
    assert verdict == "consistent"
    assert abs(error) <= 100 * 0.51 * 10**-places / float(target) + 1e-6


@settings(max_examples=40, deadline=None)
@given(base=amounts.filter(lambda base: base >= 10), rate=rates, years=st.integers(2, 12))
def test_a_target_that_no_reading_reaches_is_inconsistent(
    connection: duckdb.DuckDBPyConnection, base: Decimal, rate: Decimal, years: int
) -> None:
    """Twice what one more year of growth would give is out of reach of any rounding of these digits."""
    target = f"{2 * base * (1 + rate / 100) ** (years + 1):.2f}"
    verdict, _ = audited(connection, str(base), target, str(rate), years)
    assert verdict == "inconsistent"


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells, cells).filter(any), min_size=1, max_size=8))
def test_what_is_loaded_comes_back_exactly(
    connection: duckdb.DuckDBPyConnection, rows: list[tuple[str, str, str]]
) -> None:
    """Quotes, commas, lines, spaces and every script; only the empty cell is a missing value."""
    names = ["a", "b", "c"]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([names, *rows])
    descriptor = {"schema": {"fields": [{"name": name, "type": "string"} for name in names]}}
    table = Table("t", Path("t.csv"), "t.csv", descriptor, Schema.from_descriptor(descriptor["schema"]))
    table.__dict__["content"] = written.getvalue().encode("utf-8")
    assert table.text.problems == ()
    connection.execute("DROP TABLE IF EXISTS loaded")
    load_text(connection, table, "loaded")
    found = connection.execute("SELECT a, b, c FROM loaded ORDER BY _row").fetchall()
    assert found == [tuple(cell or None for cell in row) for row in rows]


values = st.tuples(st.integers(-5, 5), st.text(max_size=3), st.none() | st.floats(allow_nan=False))
Row = tuple[int, str, float | None]


def hash_of(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> str:
    connection.execute("CREATE OR REPLACE TABLE hashed.t (n BIGINT, word VARCHAR, x DOUBLE)")
    if rows:
        connection.executemany("INSERT INTO hashed.t VALUES (?, ?, ?)", [list(row) for row in rows])
    connection.execute("USE hashed")
    try:
        return content_hash(connection)
    finally:
        connection.execute("USE memory")


@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.lists(values, max_size=8))
def test_the_content_hash_is_of_the_rows_in_any_order(
    connection: duckdb.DuckDBPyConnection, data: st.DataObject, rows: list[Row]
) -> None:
    connection.execute("ATTACH IF NOT EXISTS ':memory:' AS hashed")
    whole = hash_of(connection, rows)
    assert hash_of(connection, data.draw(st.permutations(rows))) == whole
    if rows:
        assert hash_of(connection, rows[1:]) != whole
