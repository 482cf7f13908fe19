"""From the package to the marts, by value; and what a build is when it is made again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from etl.build import build, load_marts, needs_build, write_warehouse
from etl.errors import DataError
from etl.package import DUCKDB_TYPES, read_package
from etl.warehouse import Build, Home, content_hash, open_read_only
from tests.etl.package_copy import PackageCopy, copied

FORECASTS = "market/forecasts.csv"
Rows = list[tuple[object, ...]]


def ask(built: Build, sql: str) -> Rows:
    with open_read_only(built.path) as connection:
        return connection.execute(sql).fetchall()


# One forecast a row: base year and value, target year and value, stated rate, and what the audit makes of it.
AUDITED: dict[str, tuple[tuple[str, str, str, str, str], str]] = {
    "MF901": (("2024", "100.0", "2026", "121.0", "10.0"), "consistent"),
    # 100 * 1.1^3 = 133.1, but 1.1^2 fits: the growth starts a year after the base.
    "MF902": (("2024", "100.0", "2027", "121.0", "10.0"), "consistent with another start year"),
    # 100 * 1.1^2 = 121, but 1.1^3 fits: the base is that of the year before.
    "MF903": (("2024", "100.0", "2026", "133.1", "10.0"), "consistent with another start year"),
    "MF904": (("2024", "100.0", "2026", "200.0", "10.0"), "inconsistent"),
    # Printed as "1" and "3", the numbers may be 1.5 and 2.5: 29 % a year for two years fits.
    "MF905": (("2024", "1", "2026", "3", "29"), "consistent"),
    # Printed with two decimals they may not: 1.00 * 1.29^2 = 1.66, and 1.29^4 would be needed.
    "MF906": (("2024", "1.00", "2026", "3.00", "29.0"), "inconsistent"),
    # "A trillion" is 1,000 give or take 50: 500 * 1.42^2 = 1,008.
    "MF907": (("2024", "500.0", "2026", "1000", "42.0"), "consistent"),
    # 1,000.0 is not a trillion, give or take: 1.42^2 gives 1,008.2, at 41.95 % still 1,007.4.
    "MF908": (("2024", "500.0", "2026", "1000.0", "42.0"), "inconsistent"),
    "MF909": (("2024", "100.0", "2026", "121.0", ""), "not checkable"),
    "MF910": (("", "", "2026", "121.0", "10.0"), "not checkable"),
    "MF911": (("2024", "0", "2026", "121.0", "10.0"), "not checkable"),
}


# A value as printed, and how far the true one may be from it.
PRINTED = {
    "MF921": ("87.56", 0.005),
    "MF922": ("67", 0.5),
    "MF923": ("1300", 50),
    "MF924": ("1000", 50),
    "MF925": ("40", 0.5),
    "MF926": ("5", 0.5),
}


@pytest.fixture(scope="module")
def audited(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A build of the small package with the forecasts above."""
    folder = tmp_path_factory.mktemp("audited")
    package = copied(small_data, folder / "data")
    for claim_id, ((base_year, base, year, target, rate), _) in AUDITED.items():
        package.forecast(
            claim_id,
            base_year=base_year,
            base_value_usd_bn=base,
            forecast_year=year,
            forecast_value_usd_bn=target,
            cagr_pct=rate,
        )
    for claim_id, (printed, _) in PRINTED.items():
        package.forecast(
            claim_id,
            base_year="2024",
            base_value_usd_bn=printed,
            forecast_year="2030",
            forecast_value_usd_bn=printed,
            cagr_pct="44.20",
        )
    return build(package.settings(folder / "home")).build


@pytest.mark.parametrize("claim_id", AUDITED)
def test_the_audit_of_a_forecast_gives_the_verdict_worked_out_by_hand(claim_id: str, audited: Build) -> None:
    found = ask(audited, f"SELECT verdict FROM forecast_arithmetic WHERE claim_id = '{claim_id}'")
    assert found == [(AUDITED[claim_id][1],)]


def test_the_audit_gives_implied_rate_target_and_error(audited: Build) -> None:
    ((years, rate, target, error, less, more),) = ask(
        audited,
        "SELECT years, implied_cagr_pct, implied_target_usd_bn, relative_error_pct, "
        "target_one_year_less_usd_bn, target_one_year_more_usd_bn "
        "FROM forecast_arithmetic WHERE claim_id = 'MF902'",
    )
    assert years == 3
    assert rate == pytest.approx(100 * (1.21 ** (1 / 3) - 1))
    assert target == pytest.approx(133.1)
    assert error == pytest.approx(10.0)
    assert (less, more) == (pytest.approx(121.0), pytest.approx(146.41))


def test_what_is_not_checkable_has_no_error(audited: Build) -> None:
    found = ask(
        audited,
        "SELECT DISTINCT implied_cagr_pct, implied_target_usd_bn, relative_error_pct "
        "FROM forecast_arithmetic WHERE verdict = 'not checkable'",
    )
    assert found == [(None, None, None)]


@pytest.mark.parametrize("claim_id", PRINTED)
def test_a_printed_value_may_be_off_by_half_of_its_last_digit(claim_id: str, audited: Build) -> None:
    """Zeros at the end of a whole number may be rounding, but two digits always count."""
    found = ask(
        audited,
        f"SELECT base_half, target_half, rate_half FROM forecast_rounding WHERE claim_id = '{claim_id}'",
    )
    _, half = PRINTED[claim_id]
    assert found == [(half, half, 0.005)]


def test_a_forecast_gives_one_value_for_its_base_and_one_for_its_target(audited: Build) -> None:
    found = ask(
        audited,
        "SELECT claim_id, year, value_usd_bn, role FROM forecast_value "
        "WHERE claim_id IN ('MF901', 'MF910') ORDER BY ALL",
    )
    assert found == [
        ("MF901", 2024, 100.0, "base"),
        ("MF901", 2026, 121.0, "target"),
        ("MF910", 2026, 121.0, "target"),
    ]


def test_a_value_is_told_in_the_unit_of_its_metric_too(package_copy: PackageCopy, tmp_path: Path) -> None:
    """62,500 million dollars are 62.5 billion; what is printed stays."""
    if "usd_mn" not in [unit["unit_id"] for unit in package_copy.rows("units.csv")]:
        package_copy.add(
            "units.csv", unit_id="usd_mn", label="m", dimension="money", factor="1000000", currency="USD"
        )
    package_copy.edit("market/investment.csv", 2, value="62500", unit_id="usd_mn")
    built = build(package_copy.settings(tmp_path / "home")).build
    found = ask(
        built,
        "SELECT value, unit_id, harmonised_value, harmonised_unit_id "
        "FROM observation_figure WHERE claim_id = 'IV001'",
    )
    assert found == [(62500.0, "usd_mn", 62.5, "usd_bn")]


def test_a_repeat_is_no_claim_of_its_publisher(package_copy: PackageCopy, tmp_path: Path) -> None:
    before = build(package_copy.settings(tmp_path / "home")).build
    package_copy.edit(FORECASTS, 2, repeats_claim_id="MF002")
    after = build(package_copy.settings(tmp_path / "home")).build
    own = "SELECT sum(own_claims) FROM publisher_rank"
    repeats = "SELECT is_repeat FROM claim WHERE claim_id = 'MF001'"
    assert ask(before, repeats) == [(False,)]
    assert ask(after, repeats) == [(True,)]
    ((count_before,),), ((count_after,),) = ask(before, own), ask(after, own)
    assert isinstance(count_before, int)
    assert count_after == count_before - 1


def test_the_database_itself_refuses_what_must_not_exist(audited: Build, tmp_path: Path) -> None:
    """Keys, references and limits are in the file, not only in the program that wrote it."""
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(audited.path.read_bytes())
    with duckdb.connect(copy) as connection:
        for statement in (
            "UPDATE forecast SET forecast_value_usd_bn = -5 WHERE claim_id = 'MF901'",
            "UPDATE forecast SET source_id = 'nobody' WHERE claim_id = 'MF901'",
            "UPDATE forecast SET source_id = NULL WHERE claim_id = 'MF901'",
            "UPDATE forecast SET attribution = 'rumour' WHERE claim_id = 'MF901'",
            "INSERT INTO forecast SELECT * FROM forecast WHERE claim_id = 'MF901'",
        ):
            with pytest.raises(duckdb.ConstraintException):
                connection.execute(statement)


def test_every_mart_states_its_grain() -> None:
    assert [mart.name for mart in load_marts() if "Grain: one " not in mart.description] == []


def test_every_column_of_every_table_has_a_heading(audited: Build) -> None:
    assert ask(audited, "SELECT table_name, name FROM meta.field_info WHERE coalesce(title, '') = ''") == []


def test_the_manifest_tells_inputs_versions_and_checks(audited: Build) -> None:
    ((built_at, version, engine),) = ask(
        audited, "SELECT built_at, atlas_version, duckdb_version FROM meta.build"
    )
    assert isinstance(built_at, datetime)
    assert abs((built_at.replace(tzinfo=UTC) - audited.built_at).total_seconds()) < 0.001
    assert version
    assert engine == duckdb.__version__
    inputs = {name for (name,) in ask(audited, "SELECT name FROM meta.input")}
    assert inputs >= {"datapackage.yaml", FORECASTS, "etl/build.py", "etl/sql/marts/claim.sql", "duckdb"}
    checks = ask(audited, "SELECT name, severity, offending_rows FROM meta.check_result")
    assert ("marts-keep-every-claim", "blocking", 0) in checks
    # 1.1^2, 1.29^2 and 1.29^2 reach 121, 1.66 and 1.66 where 200, 3 and 3 are promised.
    kept = ask(
        audited, "SELECT found->>'claim_id' FROM meta.check_row WHERE name = 'forecasts-keep-their-promise'"
    )
    assert {"MF904", "MF905", "MF906"} <= {claim_id for (claim_id,) in kept}


def test_a_file_of_the_older_duckdb_format_is_written(audited: Build) -> None:
    """A reader of the downloadable file may still have DuckDB 1.5."""
    with open_read_only(audited.path) as connection:
        found = connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchone()
    assert found is not None
    assert str(found[0]).startswith("v1.5")


def hash_of(package: PackageCopy, file: Path) -> str:
    digest, _, _ = write_warehouse(file, read_package(package.folder), datetime.now(UTC))
    return digest


@pytest.fixture(scope="module")
def small_hash(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> str:
    return hash_of(small_data, tmp_path_factory.mktemp("hash") / "one.duckdb")


def touched(package: PackageCopy) -> None:
    for file in package.folder.rglob("*.*"):
        os.utime(file, (0, 0))


def with_windows_line_ends(package: PackageCopy) -> None:
    for file in package.folder.rglob("*.csv"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def with_rows_in_another_order(package: PackageCopy) -> None:
    for file in (FORECASTS, "sources.csv", "entities.csv", "workforce/workforce.csv"):
        package.write(file, package.rows(file)[::-1])


@pytest.mark.parametrize("change", [touched, with_windows_line_ends, with_rows_in_another_order])
def test_the_same_claims_give_the_same_hash(
    change: Callable[[PackageCopy], None], package_copy: PackageCopy, small_hash: str, tmp_path: Path
) -> None:
    """Built again from another folder, at another time, from files that differ in nothing claimed."""
    change(package_copy)
    assert hash_of(package_copy, tmp_path / "again.duckdb") == small_hash


def test_one_other_digit_gives_another_hash(
    package_copy: PackageCopy, small_hash: str, tmp_path: Path
) -> None:
    before = package_copy.edit(FORECASTS, 2, cagr_pct="17.09")
    assert before["cagr_pct"] == "17.08"
    assert hash_of(package_copy, tmp_path / "again.duckdb") != small_hash


def test_what_is_loaded_is_what_is_printed(small_data: PackageCopy, tmp_path: Path) -> None:
    """Every cell of every table arrives, as the value of its declared type; an empty one as missing."""
    package = read_package(small_data.folder)
    write_warehouse(tmp_path / "one.duckdb", package, datetime.now(UTC))
    kinds: dict[str, Callable[[str], object]] = {
        "string": str,
        "integer": int,
        "number": float,
        "boolean": lambda text: text == "true",
    }
    assert {field["type"] for table in package.tables for field in table.fields} <= {*kinds, "date"}
    with open_read_only(tmp_path / "one.duckdb") as connection:
        for table in package.tables:
            columns = [field["name"] for field in table.fields]
            found = connection.execute(f'SELECT * FROM "{table.name}"').fetchall()
            printed = [
                tuple(
                    None if not cell else kinds.get(field["type"], str)(cell)
                    for cell, field in zip(cells, table.fields, strict=True)
                )
                for cells in table.text.rows.values()
            ]
            shown = [
                tuple(
                    str(v) if f["type"] == "date" and v else v for v, f in zip(row, table.fields, strict=True)
                )
                for row in found
            ]
            assert shown == printed, (table.name, columns)


def test_every_declared_type_has_a_type_of_the_warehouse() -> None:
    with duckdb.connect() as connection:
        for kind in DUCKDB_TYPES.values():
            assert connection.execute(f"SELECT CAST(NULL AS {kind})").fetchone() == (None,)


def test_a_build_from_the_same_inputs_publishes_nothing(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    first = build(settings)
    steps: list[str] = []
    second = build(settings, steps.append)
    assert (first.published, second.published) == (True, False)
    assert second.build == first.build
    assert (second.rows, second.warnings) == (first.rows, first.warnings)
    assert "Validating the data package" not in steps
    assert len(Home(settings.home).builds()) == 1


def test_a_build_that_comes_out_the_same_publishes_nothing(package_copy: PackageCopy, tmp_path: Path) -> None:
    """Other bytes, same content."""
    settings = package_copy.settings(tmp_path / "home")
    first = build(settings)
    with_windows_line_ends(package_copy)
    steps: list[str] = []
    second = build(settings, steps.append)
    assert "Validating the data package" in steps
    assert second.build == first.build
    assert not second.published


def test_a_change_publishes_a_new_build(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    first = build(settings)
    package_copy.edit(FORECASTS, 2, note="changed")
    assert needs_build(settings)
    second = build(settings)
    assert second.published
    assert second.build.build_id > first.build.build_id
    assert not needs_build(settings)


def test_a_broken_package_publishes_nothing(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    first = build(settings)
    package_copy.edit(FORECASTS, 2, source_id="nobody-2031")
    with pytest.raises(DataError, match=r"The data package has 1 problem; nothing was published\."):
        build(settings)
    assert Home(settings.home).builds() == [first.build]


def test_a_missing_file_is_a_problem_and_no_crash(package_copy: PackageCopy, tmp_path: Path) -> None:
    settings = package_copy.settings(tmp_path / "home")
    build(settings)
    package_copy.path("sources.csv").unlink()
    assert needs_build(settings)
    with pytest.raises(DataError):
        build(settings)


def test_a_blocking_check_of_the_marts_leaves_current_alone_and_says_why(
    package_copy: PackageCopy, tmp_path: Path
) -> None:
    """Without the declared reference, an unknown market gets as far as the marts, which lose the claim."""
    settings = package_copy.settings(tmp_path / "home")
    first = build(settings)
    package_copy.edit_descriptor(
        lambda tables: tables["forecast"]["schema"].update(
            foreignKeys=[
                key for key in tables["forecast"]["schema"]["foreignKeys"] if key["fields"] != "market_id"
            ]
        )
    )
    package_copy.edit(FORECASTS, 3, market_id="nothing_at_all")
    with pytest.raises(DataError, match=r"The build has 1 problem; nothing was published\.") as caught:
        build(settings)
    (problem,) = caught.value.problems
    assert problem.rule == "marts-keep-every-claim"
    assert "claim_id MF002" in problem.message
    home = Home(settings.home)
    assert home.builds() == [first.build]
    assert home.best() == (first.build, None)
    assert [file.name for file in home.folder.iterdir()] == [first.build.path.name]


def test_the_order_of_rows_is_no_content(tmp_path: Path) -> None:
    hashes = set()
    for order in ("ASC", "DESC"):
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE t AS SELECT range AS n FROM range(1000) ORDER BY n {order}")
            hashes.add(content_hash(connection))
    assert len(hashes) == 1


def test_a_row_that_stands_twice_is_content() -> None:
    hashes = set()
    for times in (1, 2, 3):
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE t AS SELECT 'same' AS word FROM range({times})")
            hashes.add(content_hash(connection))
    assert len(hashes) == 3


def test_missing_and_empty_and_the_word_null_are_three_things() -> None:
    hashes = set()
    for value in ("NULL", "''", "'NULL'"):
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE t AS SELECT {value}::VARCHAR AS word")
            hashes.add(content_hash(connection))
    assert len(hashes) == 3
    assert all(math.isfinite(int(digest, 16)) for digest in hashes)
