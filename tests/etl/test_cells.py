"""Cells against the records that they are made of: pairs, countings, quantiles."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.microdata import ship
from etl.salaries import cells_sql
from tests.etl.microdata_files import CELL_COLUMNS, CELLS, MANIFEST, SHIPPED, raw, reduced, row, text

Record = tuple[str, int]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LEAST_GROUP = 30


def cells_of(records: list[Record], *, has_ranges: bool = True) -> list[tuple[str, int, int, int, int]]:
    """(coordinates, thousands, reports, paired, postings) by the statement itself."""
    with duckdb.connect() as connection:
        keys = sorted({key for key, _ in records})
        connection.execute(
            """
            CREATE TABLE answer (file_no INTEGER, row_no BIGINT, combination_id INTEGER, pay_usd DOUBLE);
            CREATE TABLE combination (combination_id INTEGER, year INTEGER, role_id VARCHAR, title VARCHAR,
                experience VARCHAR, employment VARCHAR, residence VARCHAR, company_country VARCHAR,
                remote SMALLINT, company_size VARCHAR)
            """
        )
        connection.execute(f"CREATE TABLE source_rule AS SELECT {has_ranges} AS has_ranges")
        for number, (key, pay) in enumerate(records, 1):
            connection.execute("INSERT INTO answer VALUES (0, ?, ?, ?)", [number, keys.index(key), pay])
        for number, key in enumerate(keys):
            connection.execute("INSERT INTO combination (combination_id, title) VALUES (?, ?)", [number, key])
        return connection.execute(
            f"SELECT title, salary_k, reports, paired_reports, postings FROM ({cells_sql()}) ORDER BY ALL"
        ).fetchall()


def postings_by_hand(records: list[Record]) -> Iterator[tuple[str, int, int]]:
    """The same by another way: walk through the file and join what falls."""
    place = 0
    while place < len(records):
        key, pay = records[place]
        following = records[place + 1] if place + 1 < len(records) else None
        if following and following[0] == key and following[1] < pay:
            yield key, following[1], pay
            place += 2
        else:
            yield key, pay, pay
            place += 1


def rounded(value: float) -> int:
    return int(value / 1000 + 0.5)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        # The two ends of a range: two reports, one posting in the middle.
        ([("a", 200_000), ("a", 150_000)], [("a", 150, 1, 1, 0), ("a", 175, 0, 0, 1), ("a", 200, 1, 1, 0)]),
        # The lower first is no range.
        ([("a", 150_000), ("a", 200_000)], [("a", 150, 1, 0, 1), ("a", 200, 1, 0, 1)]),
        # Equal pay is no range, and two alike are one posting.
        ([("a", 150_000), ("a", 150_000)], [("a", 150, 2, 0, 1)]),
        # Other coordinates are another posting.
        ([("a", 200_000), ("b", 150_000)], [("a", 200, 1, 0, 1), ("b", 150, 1, 0, 1)]),
        # A falling run is cut into pairs from its start.
        (
            [("a", 300_000), ("a", 250_000), ("a", 200_000)],
            [("a", 200, 1, 0, 1), ("a", 250, 1, 1, 0), ("a", 275, 0, 0, 1), ("a", 300, 1, 1, 0)],
        ),
        # The same range twice: four reports, one posting.
        (
            [("a", 200_000), ("a", 150_000)] * 2,
            [("a", 150, 2, 2, 0), ("a", 175, 0, 0, 1), ("a", 200, 2, 2, 0)],
        ),
        # A pay of half a thousand goes up.
        ([("a", 149_500), ("a", 149_500)], [("a", 150, 2, 0, 1)]),
    ],
)
def test_records_become_the_cells_worked_out_by_hand(
    records: list[Record], expected: list[tuple[str, int, int, int, int]]
) -> None:
    assert cells_of(records) == expected


def test_where_a_record_is_a_person_there_are_no_ranges_and_nobody_counts_once_for_two() -> None:
    records = [("a", 200_000), ("a", 150_000), ("a", 150_000)]
    assert cells_of(records, has_ranges=False) == [("a", 150, 2, 0, 2), ("a", 200, 1, 0, 1)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([90_400, 100_000, 100_499, 120_000, 150_500])),
        min_size=1,
        max_size=25,
    )
)
def test_cells_count_what_a_walk_through_the_file_counts(records: list[Record]) -> None:
    found = cells_of(records)
    reports = Counter((key, rounded(pay)) for key, pay in records)
    postings = Counter((key, rounded((low + high) / 2)) for key, low, high in set(postings_by_hand(records)))
    assert {(key, k): n for key, k, n, _, _ in found if n} == reports
    assert {(key, k): n for key, k, _, _, n in found if n} == postings
    joined = sum(2 for _, low, high in postings_by_hand(records) if low < high)
    assert sum(paired for *_, paired, _ in found) == joined


def test_a_rejected_row_between_them_parts_a_pair(tmp_path: Path) -> None:
    sound = [row(100_000 + number, title=f"Data Engineer {number}") for number in range(40)]
    file = tmp_path / "salaries.csv"
    file.write_bytes(text([*sound, row(200_000), row(-1), row(150_000)]))
    found = [cell for cell in reduced(tmp_path, file) if cell[2] == "ai engineer"]
    assert [(cell[9], cell[10], cell[11], cell[12]) for cell in found] == [(150, 1, 0, 1), (200, 1, 0, 1)]


# --- against the real file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def records() -> duckdb.DuckDBPyConnection:
    """The real records, with `k` the cells that ship; and the postings found by a walk through the file."""
    file = raw("aijobs_salaries/salaries.csv.gz")
    with gzip.open(file, "rt", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    walked: list[tuple[object, ...]] = []
    names = [name for name in rows[0] if name not in {"salary", "salary_in_usd"}]
    for key, group in groupby(rows, key=lambda each: tuple(each[name] for name in names)):
        pays = [("", int(each["salary_in_usd"])) for each in group]
        walked += [(key, low, high) for _, low, high in postings_by_hand(pays)]
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE record AS SELECT * FROM read_csv('{file}')")
    connection.execute(f"CREATE TABLE cell AS SELECT * FROM '{SHIPPED / 'salaries' / CELLS}'")
    connection.execute(
        "CREATE TABLE country AS SELECT iso2, entity_id FROM read_csv(?) WHERE kind = 'country'",
        [str(SHIPPED / "entities.csv")],
    )
    distinct = sorted(set(walked))
    columns = {name: [str(key[at]) for key, _, _ in distinct] for at, name in enumerate(names)}  # type: ignore[index]
    unnested = ", ".join(f"unnest(${name}::VARCHAR[]) AS {name}" for name in names)
    connection.execute(
        f"CREATE TABLE posting AS SELECT {unnested}, unnest($low::DOUBLE[]) AS low, "
        "unnest($high::DOUBLE[]) AS high",
        {**columns, "low": [low for _, low, _ in distinct], "high": [high for _, _, high in distinct]},
    )
    connection.execute("CREATE TABLE counts AS SELECT ? AS postings", [len(distinct)])
    return connection


GROUPINGS = (
    ("title",),
    ("title", "experience"),
    ("title", "company_country"),
    ("year", "title"),
    ("year", "experience", "company_country"),
    ("company_country", "residence"),
    ("remote", "company_size", "employment", "year"),
    ("title", "year", "experience", "remote", "company_country"),
)
IN_FILE = {
    "title": "lower(job_title)",
    "experience": "experience_level",
    "company_country": "(SELECT entity_id FROM country WHERE iso2 = company_location)",
    "residence": "(SELECT entity_id FROM country WHERE iso2 = employee_residence)",
    "year": "work_year::INTEGER",
    "remote": "remote_ratio::SMALLINT",
    "company_size": "company_size",
    "employment": "employment_type",
}


@pytest.mark.parametrize("grouping", GROUPINGS, ids=" ".join)
@pytest.mark.parametrize("counting", ["reports", "postings"])
def test_quantiles_from_cells_are_those_of_the_records_within_500_dollars(
    grouping: tuple[str, ...], counting: str, records: duckdb.DuckDBPyConnection
) -> None:
    """For every group of 30 or more, in both countings, by the definition that statistics programs share."""
    told = ", ".join(f"{IN_FILE[name]} AS {name}" for name in grouping)
    table, pay = ("record", "salary_in_usd") if counting == "reports" else ("posting", "(low + high) / 2")
    names = ", ".join(grouping)
    both = records.execute(
        f"""
        WITH of_records AS (
            SELECT {names}, count(*) AS n, quantile_cont(pay, {list(QUANTILES)}) AS q
            FROM (SELECT {told}, {pay} AS pay FROM {table}) GROUP BY ALL HAVING count(*) >= {LEAST_GROUP}
        ), of_cells AS (
            SELECT {names}, count(*) AS n, quantile_cont(1000.0 * salary_k, {list(QUANTILES)}) AS q
            FROM (SELECT *, unnest(range({counting})) FROM cell WHERE {counting} > 0) GROUP BY ALL
        )
        SELECT r.n, c.n, list_max(list_transform(list_zip(r.q, c.q), lambda z: abs(z[1] - z[2])))
        FROM of_records AS r LEFT JOIN of_cells AS c
        ON {" AND ".join(f"r.{name} IS NOT DISTINCT FROM c.{name}" for name in grouping)}
        """
    ).fetchall()
    assert len(both) >= 5
    assert [of_records for of_records, *_ in both] == [of_cells for _, of_cells, _ in both]
    assert max(error for *_, error in both) <= 500


def test_the_postings_of_the_real_file_are_those_of_a_walk_through_it(
    records: duckdb.DuckDBPyConnection,
) -> None:
    ((reports, postings, paired, rows, walked),) = records.execute(
        "SELECT sum(reports), sum(postings), sum(paired_reports), (SELECT count(*) FROM record), "
        "(SELECT postings FROM counts) FROM cell"
    ).fetchall()
    assert (reports, postings) == (rows, walked)
    assert paired == 146_856


def test_the_cells_that_ship_are_what_this_code_makes_of_the_file(tmp_path: Path) -> None:
    file = raw("aijobs_salaries/salaries.csv.gz")
    for name in (
        "entities.csv",
        "places/countries.csv",
        "salaries/country_names.csv",
        "salaries/role_titles.csv",
    ):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes((SHIPPED / name).read_bytes())
    ship.ship(file, tmp_path)
    made, shipped = tmp_path / "salaries", SHIPPED / "salaries"
    assert (made / MANIFEST).read_text() == (shipped / MANIFEST).read_text()
    differing = duckdb.execute(
        f"FROM '{made / CELLS}' EXCEPT ALL FROM '{shipped / CELLS}' LIMIT 1"
    ).fetchall()
    assert differing == []


def test_no_row_of_the_file_ships() -> None:
    """Cells are figures: pay in thousands, counted, with no currency, no amount and no order."""
    names = [
        str(line[0]) for line in duckdb.execute(f"DESCRIBE FROM '{SHIPPED / 'salaries' / CELLS}'").fetchall()
    ]
    assert names == ["source", *CELL_COLUMNS.replace("\n", "").split(", ")]
