"""Skills and pay: the statistics by hand, and the figures that ship against the real files."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from etl.skill_pay import DATA_JOBS, LEAST, Paid, bracket_ends, figures, interval, named, quantile, skill_pay
from tests.etl.microdata_files import SHIPPED, raw


def paid(least: float, most: float | None = None, *skills: str) -> Paid:
    return Paid("role-a", "all", least, least if most is None else most, frozenset(skills))


def test_brackets_have_ends_and_the_highest_has_one() -> None:
    assert bracket_ends("25,000-29,999") == (25_000, 30_000)
    assert bracket_ends("$0-999") == (0, 1_000)
    assert bracket_ends("$500,000-999,999") == (500_000, 1_000_000)
    assert bracket_ends(">$1,000,000") == (1_000_000, math.inf)


def test_skills_have_the_names_that_readers_know_and_plain_words_are_none() -> None:
    assert list(named(["sql", " PyTorch ", "no-sql", "spark", "go", "Xgboost", "Huggingface"])) == [
        "SQL",
        "PyTorch",
        "NoSQL",
        "Spark",
        "XGBoost",
        "Hugging Face",
    ]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_quantiles_of_amounts_are_the_usual_ones(share: float) -> None:
    pays = [70, 90, 90, 120, 121, 300]
    assert quantile([paid(each) for each in pays], share) == pytest.approx(np.quantile(pays, share))


def test_quantiles_of_brackets_lie_in_their_bracket_as_if_it_were_filled_evenly() -> None:
    # Four below, four in 100 to 200: the median is where these begin, the third quartile in their middle.
    pays = [paid(0, 100)] * 4 + [paid(100, 200)] * 4
    assert quantile(pays, 0.5) == 100
    assert quantile(pays, 0.75) == 150


def test_an_interval_ends_at_the_outer_ends_of_its_brackets() -> None:
    lower, upper = interval([paid(0, 100)] * 10 + [paid(100, 200)] * 10 + [paid(200, math.inf)] * 10)
    assert (lower, upper) == (0, math.inf)
    assert interval([paid(each) for each in range(100)]) == (39, 60)


def test_a_skill_is_told_where_thirty_have_it_and_thirty_have_not() -> None:
    pays = [paid(200, None, "SQL")] * LEAST + [paid(100, None, "R")] * LEAST + [paid(150, None, "Go")]
    found = {row["skill"]: row for row in figures(pays)}
    assert set(found) == {"R", "SQL"}
    assert found["SQL"]["median_with_usd"] == 200
    assert found["SQL"]["n_without"] == LEAST + 1
    assert found["SQL"]["median_without_usd"] == 100


def test_the_figures_that_ship_are_those_of_the_real_files() -> None:
    folder = raw(DATA_JOBS).parents[1]
    with (SHIPPED / "salaries" / "skill_pay.csv").open(encoding="utf-8", newline="") as handle:
        shipped = list(csv.DictReader(handle))
    found = [{name: str(value) for name, value in row.items()} for row in skill_pay(folder, SHIPPED)]
    assert found == shipped
    assert len(found) == 347
