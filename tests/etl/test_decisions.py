"""The figures in the decisions and the page on salaries are those of the data that ship."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest

from etl.warehouse import Home, open_read_only
from tests.etl.microdata_files import SHIPPED, raw
from tests.etl.test_cells import postings_by_hand

DOCS = Path(__file__).resolve().parents[2] / "docs"
Query = Callable[[str], list[tuple[Any, ...]]]


def page(name: str) -> str:
    """A document in one line, so that a figure is found wherever the text breaks."""
    return re.sub(r"\s+", " ", (DOCS / name).read_text(encoding="utf-8"))


def table(name: str, heading: str) -> list[list[str]]:
    """The rows of the table that begins with a heading."""
    lines = (DOCS / name).read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {heading} "))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


@pytest.fixture
def ask(home: Home) -> Iterator[Query]:
    current = home.current()
    assert current
    with open_read_only(current.path) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


MEDIAN = "quantile_cont(1000.0 * salary_k, 0.5) FROM (SELECT *, unnest(range({0})) FROM {1} WHERE {0} > 0)"


def test_the_effect_of_the_counting_on_every_median_in_the_decision(ask: Query) -> None:
    rows = table("decisions/0009-distinct-postings-by-default.md", "role")
    assert len(rows) >= 10
    found: dict[str, list[str]] = {row[0]: [row[0]] for row in rows}
    for counting in ("reports", "postings"):
        for role, n in ask(f"SELECT role, sum({counting}) FROM salary_cell GROUP BY role"):
            if str(role) in found:
                found[str(role)].append(f"{n:,}")
    for counting in ("reports", "postings"):
        for role, middle in ask(f"SELECT role, {MEDIAN.format(counting, 'salary_cell')} GROUP BY role"):
            if str(role) in found:
                found[str(role)].append(f"{middle:,.1f}".removesuffix(".0"))
    assert rows == list(found.values())
    medians = [ask(f"SELECT {MEDIAN.format(name, 'salary_cell')}")[0][0] for name in ("reports", "postings")]
    text = page("decisions/0009-distinct-postings-by-default.md")
    assert "the median hardly moves ({:,.0f} against {:,.0f} USD)".format(*medians) in text


def test_what_the_decision_says_of_pairs(ask: Query) -> None:
    text = page("decisions/0009-distinct-postings-by-default.md")
    shares = {
        str(year): f"{share:.0%}"
        for year, share in ask(
            "SELECT least(year, 2023), sum(paired_reports) / sum(reports) FROM pay_cell GROUP BY 1 "
            "UNION ALL SELECT NULL, sum(paired_reports) / sum(reports) FROM pay_cell"
        )
    }
    assert f"{shares['None']} of the records come as neighbours" in text
    years = ", ".join(f"{shares[year]} in {year}" for year in ("2020", "2021", "2022"))
    assert f"({years}, {shares['2023']} since)" in text
    ((reports, paired, distinct),) = ask(
        "SELECT sum(reports)::INTEGER, sum(paired_reports)::INTEGER, sum(postings)::INTEGER FROM pay_cell"
    )
    postings = reports - paired // 2
    assert f"Of the {postings:,} postings that this leaves, {postings - distinct:,} repeat" in text


def test_what_the_decision_says_of_repeats() -> None:
    """From the file itself: which ranges repeat, and the median where each repeat counts."""
    with gzip.open(raw("aijobs_salaries/salaries.csv.gz"), "rt", encoding="utf-8", newline="") as handle:
        records = list(csv.DictReader(handle))
    names = [name for name in records[0] if name not in {"salary", "salary_in_usd"}]
    postings = [
        (key, low, high)
        for key, group in groupby(records, key=lambda each: tuple(each[name] for name in names))
        for _, low, high in postings_by_hand([("", int(each["salary_in_usd"])) for each in group])
    ]
    text = page("decisions/0009-distinct-postings-by-default.md")
    assert f"(median {median((low + high) / 2 for _, low, high in postings):,.0f} over all titles)" in text
    ranges = [each for each in postings if each[1] < each[2]]
    odd = [each for each in ranges if each[1] % 1000 or each[2] % 1000]
    plain = [each for each in ranges if not (each[1] % 1000 or each[2] % 1000)]
    repeated, also = (f"{1 - len(set(some)) / len(some):.0%}" for some in (odd, plain))
    assert f"Odd amounts repeat as often as round ones ({repeated} against {also} of the ranges)" in text
    assert "one odd range stands there a hundred times" in text
    assert max(Counter(odd).values()) >= 100


def test_what_the_page_says_of_titles(ask: Query) -> None:
    text = page("salaries.md")
    counts: dict[str, int] = dict(
        ask(
            "SELECT CASE WHEN role_id IS NOT NULL THEN 'role' WHEN excluded_because IN ('general title', "
            "'other occupation') THEN excluded_because ELSE 'rest' END, sum(reports)::INTEGER "
            "FROM salary_title GROUP BY 1"
        )
    )
    assert (
        f"Of the {sum(counts.values()):,} records that ship, {counts['role']:,} have a role; "
        f"{counts['general title']:,} have a general title, {counts['other occupation']:,} another "
        f"occupation, {counts['rest']:,} are training posts"
    ) in text
    ((roles,),) = ask("SELECT count(*) FROM salary_role")
    assert f"which of the {roles} roles" in text


def test_what_the_page_and_the_decision_say_of_the_backtest(ask: Query) -> None:
    names = {
        "none": "none",
        "under 10": "1 to 9",
        "10 to 29": "10 to 29",
        "30 or more": "30 or more",
        "country unseen": "country left out of the fit",
    }
    found = {
        str(row[0]): row[1:]
        for row in ask(
            """
            SELECT
                score.stratum, score.scored_postings, model_loss_usd, group_loss_usd, everyone.pinball_usd,
                score.within_10_90, score.within_25_75, is_better
            FROM pay_model_score AS score
            JOIN pay_backtest AS everyone
                ON everyone.stratum = score.stratum AND everyone.fitted_on = score.fitted_on
                AND everyone.method = 'everyone'
            """
        )
    }
    rows = [
        [words, *(f"{each:,}" for each in found[name][:4])]
        + [f"{each:.0f}%" for each in found[name][4:6]]
        + ["yes" if found[name][6] else "no"]
        for name, words in names.items()
    ]
    assert table("salaries.md", "postings of the role, level and country") == rows
    unseen = found["country unseen"]
    fall = 1 - unseen[1] / unseen[2]
    decision = page("decisions/0010-an-estimate-where-it-beats-groups.md")
    assert f"the loss falls by {fall:.0%} ({unseen[2]:,} to {unseen[1]:,} US dollars)" in decision
    ((groups, large),) = ask(
        "SELECT count(*), count(*) FILTER (n >= 10) FROM (SELECT sum(postings) AS n FROM salary_cell "
        "WHERE company_country <> 'USA' AND postings > 0 GROUP BY role_id, experience, company_country)"
    )
    assert f"outside the US, {groups:,} groups of role, level and country have a posting, {large}" in decision


def test_the_counts_of_files_that_the_table_of_titles_covers() -> None:
    """All titles of the four vintages are in the reviewed table."""
    folder = raw("aijobs_salaries/salaries.csv.gz").parent
    files = [str(folder / "salaries.csv.gz"), str(folder / "vintages" / "*.csv.gz")]
    titles = duckdb.execute(
        "SELECT DISTINCT lower(trim(regexp_replace(nfc_normalize(job_title), '\\s+', ' ', 'g'))) "
        "FROM read_csv($files, union_by_name = true)",
        {"files": files},
    ).fetchall()
    with (SHIPPED / "salaries/role_titles.csv").open(encoding="utf-8", newline="") as handle:
        reviewed = {line["title"] for line in csv.DictReader(handle)}
    missing = {title for (title,) in titles} - reviewed
    assert missing == set()
    assert f"All {len(titles)} titles of the four vintages" in page("salaries.md")
