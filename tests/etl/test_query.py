"""A reader's own query: one SELECT, sealed off from all but the build, bounded in rows, time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.errors import QueryError
from etl.query import run_query
from etl.warehouse import Home


@pytest.fixture(scope="module")
def build_file(built_home: Home) -> Path:
    return built_home.best()[0].path


def test_a_select_is_answered_with_its_columns(build_file: Path) -> None:
    answer = run_query(build_file, "SELECT count(*) AS forecasts FROM forecast", max_rows=10, seconds=10)
    assert answer.columns == ("forecasts",)
    assert answer.rows == [(292,)]
    assert not answer.is_cut


def test_more_rows_than_asked_for_are_cut_and_said_so(build_file: Path) -> None:
    answer = run_query(build_file, "SELECT * FROM range(5)", max_rows=3, seconds=10)
    assert len(answer.rows) == 3
    assert answer.is_cut


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE forecast",
        "INSERT INTO forecast SELECT * FROM forecast",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "COPY forecast TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "SET memory_limit = '100GB'",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_anything_but_one_select_is_refused(build_file: Path, tmp_path: Path, statement: str) -> None:
    with pytest.raises(QueryError, match="one SELECT"):
        run_query(build_file, statement.format(folder=tmp_path), max_rows=10, seconds=10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "function", ["read_csv('{file}')", "read_text('{file}')", "glob('{folder}/*')", "'{file}'"]
)
def test_a_select_cannot_reach_files(build_file: Path, tmp_path: Path, function: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    source = function.format(file=secret, folder=tmp_path)
    with pytest.raises(QueryError, match=r"disabled by configuration|does not exist"):
        run_query(build_file, f"SELECT * FROM {source}", max_rows=10, seconds=10)


def test_an_endless_query_is_stopped(build_file: Path) -> None:
    endless = "SELECT count(*) FROM range(1000000000000) AS a, range(1000) AS b"
    with pytest.raises(QueryError, match="maximum execution time"):
        run_query(build_file, endless, max_rows=10, seconds=0.5)


def test_a_query_that_needs_too_much_memory_is_stopped(build_file: Path) -> None:
    bomb = "SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(100000)"
    with pytest.raises(QueryError, match=r"Out of Memory|maximum execution time"):
        run_query(build_file, bomb, max_rows=10, seconds=20)


def test_a_mistake_is_told_in_one_line(build_file: Path) -> None:
    with pytest.raises(QueryError, match="nonsense") as caught:
        run_query(build_file, "SELECT nonsense FROM forecast", max_rows=10, seconds=10)
    assert "\n" not in str(caught.value)


def test_a_local_variable_is_no_table(build_file: Path) -> None:
    local_frame = [1]
    with pytest.raises(QueryError, match="local_frame"):
        run_query(build_file, "SELECT * FROM local_frame", max_rows=10, seconds=10)
    assert local_frame
