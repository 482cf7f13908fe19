"""Salaries: figures by value on the cells that ship, the interval of a median, the page."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import warehouse
from dashboard.chart import REGISTRY
from dashboard.charts import salaries
from dashboard.charts.marks import records
from dashboard.charts.salaries import LOWER_RANK, UPPER_RANK, CountryFilters, SalaryFilters, adjusted
from dashboard.warehouse import Warehouse
from etl import salary_backtest
from etl.salary_model import LEAST_OF_A_COUNTRY, QUANTILE_NAMES, PayModel

IDS = [chart.id for chart in REGISTRY.values() if chart.filters in {SalaryFilters, CountryFilters}]


def rows(opened: Warehouse, chart_id: str, **values: Any) -> pd.DataFrame:
    chart = REGISTRY[chart_id]
    return opened.query(*chart.query(chart.filters(**values)))


def by(frame: pd.DataFrame, column: str) -> dict[Any, dict[str, Any]]:
    """The rows by what stands in a column, in their order."""
    return {
        row[column]: {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    }


def told(opened: Warehouse, chart_id: str, **values: Any) -> str:
    chart = REGISTRY[chart_id]
    return chart.summary(rows(opened, chart_id, **values), chart.filters(**values))


@pytest.mark.parametrize(
    ("counting", "n", "median"), [("postings", 2_568, 186_000), ("reports", 9_027, 188_000)]
)
def test_a_role_has_the_figures_of_the_decision(
    counting: str, n: int, median: int, opened: Warehouse
) -> None:
    frame = rows(opened, "salary-distribution", pay_roles=["role-ml-engineer"], counting=counting)
    (row,) = records(frame)
    assert (row.n, row.median) == (n, median)
    assert row.p10 < row.p25 < row.lower <= row.median <= row.upper < row.p75 < row.p90
    assert 80 < row.us_share < 95
    assert 95 < row.paired_share < 99


def test_quantiles_are_those_of_the_cells_spread_out(opened: Warehouse) -> None:
    found = rows(opened, "salary-by-experience", pay_roles=["role-ai-engineer"])
    expected = opened.query(
        "SELECT experience, quantile_cont(1000.0 * salary_k, [0.1, 0.25, 0.5, 0.75, 0.9]) AS q FROM ("
        "SELECT experience, salary_k, unnest(range(postings)) FROM salary_cell "
        "WHERE source = 'aijobs' AND role_id = 'role-ai-engineer' AND postings > 0) GROUP BY experience"
    )
    assert list(found["value"]) == ["EN", "MI", "SE", "EX"]
    for level, row in by(found, "value").items():
        quantiles = [row[name] for name in ("p10", "p25", "median", "p75", "p90")]
        assert quantiles == pytest.approx(list(by(expected, "experience")[level]["q"]))


@pytest.mark.parametrize("n", [10, 11, 12, 15, 20, 29, 30, 50, 99, 100, 500, 2_000])
def test_the_interval_of_a_median_covers_it_in_95_of_100_samples(n: int) -> None:
    """The true median lies between two sorted records with a probability that the binomial gives exactly."""
    ((lower, upper),) = duckdb.execute(
        f"SELECT {LOWER_RANK}, {UPPER_RANK} FROM (SELECT {n} AS total)"
    ).fetchall()
    covered = sum(math.comb(n, k) for k in range(int(lower), int(upper))) / 2**n
    assert 0.95 <= covered < 0.999


@pytest.mark.parametrize("chart_id", IDS)
def test_no_group_under_ten_is_told(chart_id: str, opened: Warehouse) -> None:
    assert rows(opened, chart_id)["n"].min() >= salaries.LEAST
    assert rows(opened, chart_id, pay_roles=["role-llm-engineer"]).empty


@pytest.mark.parametrize("chart_id", [*IDS, "salary-roles-compare"])
@pytest.mark.parametrize(("counting", "noun"), [("postings", "postings"), ("reports", "records")])
def test_the_mix_behind_the_figures_is_told_with_them(
    chart_id: str, counting: str, noun: str, opened: Warehouse
) -> None:
    frame = rows(opened, chart_id, counting=counting)
    ((us, paired),) = opened.query(
        f"SELECT 100.0 * sum({counting}) FILTER (company_country = 'USA') / sum({counting}) AS us, "
        "100.0 * sum(paired_reports) / sum(reports) AS paired FROM salary_cell WHERE source = 'aijobs'"
    ).itertuples(index=False)
    said = told(opened, chart_id, counting=counting)
    assert f" {noun}, " in said
    for share, words in ((us, "from the US"), (paired, "of their records are ends of ranges")):
        (stated,) = re.findall(rf"(\d+)% {words}", said)
        assert int(stated) == pytest.approx(share, abs=3)
    chart = REGISTRY[chart_id]
    survey = chart.summary(frame.assign(noun="answers", paired_share=0.0), chart.filters())
    assert " answers, " in survey
    assert "ends of ranges" not in survey


def test_prices_change_the_order_of_countries_and_are_named(opened: Warehouse) -> None:
    nominal = rows(opened, "salary-by-country")
    real, plain = by(adjusted(nominal, CountryFilters(ppp=True)), "value"), by(nominal, "value")
    assert real["USA"]["median"] == plain["USA"]["median"]
    assert real["IND"]["median"] == pytest.approx(plain["IND"]["median"] / plain["IND"]["price_level"])
    assert list(real) != list(plain)
    said = told(opened, "salary-by-country", ppp=True)
    assert "; at US prices, with price levels of 2024, World Bank. The 22 highest are drawn" in said


def test_equal_pay_is_called_equal_and_a_gap_is_a_percentage(opened: Warehouse) -> None:
    assert told(opened, "salary-by-remote").startswith(
        "Remote: a median of $147k, as much as on site ($147k); 37,568 postings, "
    )
    assert "127% more than entry" in told(opened, "salary-by-experience")


@pytest.mark.parametrize("chart_id", ["salary-distribution", "salary-sources", "salary-us-metros"])
def test_what_colours_and_shapes_stand_for_is_named_beside_them(chart_id: str, opened: Warehouse) -> None:
    chart = REGISTRY[chart_id]
    figure = chart.draw(rows(opened, chart_id), chart.filters())
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    looks = {(trace.marker.color, str(trace.marker.symbol)) for trace in marks}
    named = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert figure.layout.showlegend
    assert len(named) == len(set(named)) > 1
    assert {trace.name for trace in marks} == set(named)
    assert len(looks) >= len(named)


def test_years_are_lines_of_roles_where_few_are_chosen(opened: Warehouse) -> None:
    chosen = rows(opened, "salary-trend", pay_roles=["role-ml-engineer", "role-data-scientist"])
    assert set(chosen["label"]) == {"Machine-learning engineer", "Data scientist"}
    assert set(rows(opened, "salary-trend")["label"]) == {"All roles"}


def test_shares_of_a_role_add_up(opened: Warehouse) -> None:
    shares = rows(opened, "salary-roles-compare").groupby("label")["share"].sum()
    assert list(shares) == pytest.approx([100.0] * 4)


def test_pay_in_metropolitan_areas_is_told_at_their_prices_too(opened: Warehouse) -> None:
    san_jose = by(rows(opened, "salary-us-metros"), "place")["San Jose"]
    assert san_jose["value"] == 173_160
    assert san_jose["adjusted"] == pytest.approx(100 * san_jose["value"] / san_jose["parity"])
    assert told(opened, "salary-us-metros").startswith(
        "Data scientists earn most in San Jose, a median of $173k (2024)"
    )


def test_sources_stand_side_by_side_and_the_records_come_first(opened: Warehouse) -> None:
    found = rows(opened, "salary-sources")
    own, stated = found[found["kind"] == "records"], found[found["kind"] != "records"]
    assert list(found["kind"])[: len(own)] == ["records"] * len(own)
    assert list(own["publisher"]) == ["ai-jobs.net"]
    assert stated["publisher"].nunique() >= 5
    assert "ai-jobs.net" not in set(stated["publisher"])
    assert (found["low"].isna() | found["high"].isna() | (found["low"] <= found["high"])).all()
    assert (own["lower"] <= own["middle"]).all()
    assert (own["middle"] <= own["upper"]).all()
    assert stated["lower"].isna().all()
    who = f"{len(found)} statements by {found['publisher'].nunique()} sources"
    assert told(opened, "salary-sources").startswith(f"{who}: the middle runs from $")


def test_the_page_shows_what_stands_behind_its_figures(run_page: Callable[..., AppTest]) -> None:
    app = run_page("salaries.py")
    assert not app.exception
    words = " ".join(each.value for each in app.markdown)
    assert "116,701 records of pay in 31 roles are 37,568 distinct postings; 89% of the records" in words
    assert "151,445 of 151,445 rows" in words
    titles = [each.value for each in app.subheader]
    assert titles[:5] == [
        REGISTRY[name].title
        for name in (
            "salary-estimate",
            "salary-distribution",
            "salary-by-experience",
            "salary-by-remote",
            "salary-by-country",
        )
    ]


def test_the_page_tells_what_was_not_taken_and_which_titles_are_not_known(
    run_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        ("rejected", "negative pay", 3),
        ("rejected", "unknown country", 40),
        ("left out", "no pay stated", 1_234),
        ("title without role", "gardener", 12),
        ("title without role", "ai engineer", 99),  # known since it was imported
        *[("title without role", f"keeper of {place}", 9 - place) for place in range(7)],
    ]
    values = ", ".join(f"('aijobs', '{kind}', '{reason}', {count})" for kind, reason, count in told)
    rows = f"(VALUES {values}) AS reasons (source, kind, reason, records)"
    asked = warehouse.ask
    monkeypatch.setattr(
        warehouse, "ask", lambda sql, *more: asked(sql.replace("FROM pay_reason", f"FROM {rows}"), *more)
    )
    (said,) = (each.value for each in run_page("salaries.py").caption if "Rejected:" in each.value)
    assert said == (
        "Left out: no pay stated (1,234). Rejected: unknown country (40), negative pay (3). Titles that are "
        "not known, the most frequent: gardener (12), keeper of 0 (9), keeper of 1 (8), keeper of 2 (7), "
        "keeper of 3 (6), keeper of 4 (5), and others."
    )


# --- the estimate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "level", "country", "works"),
    [
        ("role-ai-engineer", "SE", "DEU", "0"),
        ("role-ai-engineer", "SE", "KEN", "100"),
        ("role-llm-engineer", "EN", "USA", "0"),
        ("role-generative-ai-engineer", "EX", "CAN", "50"),
    ],
)
def test_an_estimate_is_what_the_model_says(
    role: str, level: str, country: str, works: str, opened: Warehouse
) -> None:
    model = PayModel(opened.query("SELECT * FROM pay_effect"), opened.query("SELECT * FROM pay_spread"))
    asked = pd.DataFrame(
        {
            "role_id": [role],
            "experience": [level],
            "company_country": [country],
            "year": ["2025"],
            "remote": [works],
            "company_size": ["M"],
        }
    )
    found = rows(opened, "salary-estimate", my_role=role, my_level=level, my_country=country, my_works=works)
    told_rows = found[found["kind"] == "estimate"]
    assert list(told_rows["value"]) == pytest.approx(list(1000 * model.quantiles(asked)[0]))
    assert (told_rows["lower"] < told_rows["value"]).all()
    assert (told_rows["value"] < told_rows["upper"]).all()


def test_where_postings_are_many_they_are_told_and_nothing_is_estimated(opened: Warehouse) -> None:
    found = rows(opened, "salary-estimate", my_role="role-ml-engineer", my_country="USA")
    assert set(found["kind"]) == {"group", "choice", "rests on"}
    group = by(found[found["kind"] == "group"], "quantile")
    ((n, expected),) = opened.query(
        "SELECT count(*) AS n, quantile_cont(1000.0 * salary_k, [0.1, 0.25, 0.5, 0.75, 0.9]) AS q FROM ("
        "SELECT salary_k, unnest(range(postings)) FROM salary_cell WHERE source = 'aijobs' AND postings > 0 "
        "AND role_id = 'role-ml-engineer' AND experience = 'SE' AND company_country = 'USA')"
    ).itertuples(index=False)
    assert [row["value"] for row in group.values()] == pytest.approx(list(expected))
    assert {row["n"] for row in group.values()} == {n}
    assert all(row["lower"] <= row["value"] <= row["upper"] for row in group.values())
    assert "Nothing is estimated" in told(
        opened, "salary-estimate", my_role="role-ml-engineer", my_country="USA"
    )


def test_an_estimate_says_what_it_is_and_what_it_rests_on(opened: Warehouse) -> None:
    choice = {"my_role": "role-ai-engineer", "my_country": "KEN"}
    said = told(opened, "salary-estimate", **choice)
    assert "An estimate of this project’s model from 37,568 postings, none of them of this role" in said
    assert "lay between its 10% and 90% quantiles; 80% would be right" in said
    sources = opened.sources_of(rows(opened, "salary-estimate", **choice))
    assert {"ai-jobs.net", "World Bank"} <= set(sources["publisher"])
    chart = REGISTRY["salary-estimate"]
    drawn = chart.draw(rows(opened, "salary-estimate", **choice), chart.filters(**choice))
    assert {mark.marker.symbol for mark in drawn.data} == {"circle-open"}


def test_the_table_of_estimates_is_the_model_for_every_role_level_and_country(opened: Warehouse) -> None:
    effects = opened.query("SELECT * FROM pay_effect")
    told: Any = opened.query("SELECT * FROM pay_estimate")
    model = PayModel(effects, opened.query("SELECT * FROM pay_spread"))
    known: Any = effects.set_index(["term", "term_level"])
    assert len(told) == 31 * 4 * len(known.loc["company_country"])
    location = told["effect"] + known.loc[("intercept", ""), "effect"]
    found = np.exp(told[list(QUANTILE_NAMES)].add(location, axis=0))
    # Without year, place of work and size, which add nothing then.
    asked = told.assign(**dict.fromkeys(("year", "remote", "company_size")))
    np.testing.assert_allclose(found, model.quantiles(asked))

    in_country = known.loc["company_country"].loc[told["company_country"], "postings"]
    least = np.searchsorted(list(salary_backtest.STRATA.values()), told["postings"], "right") - 1
    stratum = np.array(list(salary_backtest.STRATA))[least]
    stratum = np.where(in_country < LEAST_OF_A_COUNTRY, salary_backtest.UNSEEN, stratum)
    assert list(told["stratum"]) == list(stratum)
    assert set(opened.query("SELECT stratum FROM pay_model_score")["stratum"]) == set(stratum)


# --- skills -----------------------------------------------------------------------------------------------


def test_skills_are_told_as_an_association_with_both_medians(opened: Warehouse) -> None:
    found = rows(opened, "salary-by-skill")
    assert found[["n_with", "n_without"]].min().min() >= 30
    said = told(opened, "salary-by-skill")
    assert said.startswith("Data scientist in the US, ")
    assert said.endswith("An association: who names a skill differs in more than the skill.")
    answers = rows(opened, "salary-by-skill", skill_source="kaggle", senior=True)
    assert set(answers["seniority"]) == {"all"}
    assert set(rows(opened, "salary-by-skill", senior=True)["seniority"]) == {"senior"}


def test_skills_wait_behind_more(run_page: Callable[..., AppTest]) -> None:
    title = REGISTRY["salary-by-skill"].title
    assert title not in [each.value for each in run_page("salaries.py").subheader]
    assert title in [each.value for each in run_page("salaries.py", more="true").subheader]
