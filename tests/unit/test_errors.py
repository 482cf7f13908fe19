"""How problems are told."""

from __future__ import annotations

import pytest

from etl.errors import AtlasError, DamagedBuildError, DataError, HomeError, Problem


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("a.csv", 3, "year", "type", "it is wrong"), "a.csv, row 3, year: it is wrong [type]"),
        (Problem("a.csv", 3, None, "type", "it is wrong"), "a.csv, row 3: it is wrong [type]"),
        (Problem("a.csv", None, None, "type", "it is wrong"), "a.csv: it is wrong [type]"),
    ],
)
def test_a_problem_is_one_line_with_its_place_and_rule(problem: Problem, line: str) -> None:
    assert str(problem) == line


def test_problems_are_told_in_the_order_of_the_files() -> None:
    told = [
        Problem("b.csv", 2, "x", "type", ""),
        Problem("a.csv", 10, "x", "type", ""),
        Problem("a.csv", 9, "y", "type", ""),
        Problem("a.csv", None, None, "empty-file", ""),
    ]
    assert DataError(told).problems == [told[3], told[2], told[1], told[0]]


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 problem;"), (2, "2 problems;"), (1500, "1,500 problems;")]
)
def test_the_number_of_problems_is_told_in_words_that_agree(count: int, words: str) -> None:
    assert words in str(DataError([Problem("a.csv", n, None, "r", "m") for n in range(count)]))


@pytest.mark.parametrize("kind", [DataError, HomeError, DamagedBuildError])
def test_all_errors_of_ours_are_of_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, AtlasError)
