"""What a reader quotes: built from the fields of the claims, with how sure one may be."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import atlas
from dashboard.address import FilterError, UnknownChartError
from dashboard.chart import REGISTRY, Chart
from dashboard.charts.marks import records
from dashboard.export import Selection, quote, select
from dashboard.warehouse import Warehouse
from etl.query import run_query
from tests.dashboard.conftest import choices, every_chart, examples
from tests.dashboard.test_export import ROOT, selected

README = Path(__file__).resolve().parents[2] / "README.md"


def with_claim(selection: Selection, **fields: Any) -> str:
    """The sentence on the first claim, had it these fields; those of its source by the source's names."""
    first = selection.claims.head(1)
    of_source = {name: value for name, value in fields.items() if name in quote.OF_SOURCE}
    of_claim = {name: value for name, value in fields.items() if name not in of_source}
    sources = selection.sources[selection.sources["source_id"] == first["source_id"].iloc[0]]
    changed = replace(selection, claims=first.assign(**of_claim), sources=sources.assign(**of_source))
    return quote.sentence(changed, first["claim_id"].iloc[0])


# --- the sentence ---------------------------------------------------------------------------------


@every_chart
def test_every_figure_of_every_chart_can_be_quoted(opened: Warehouse, chart: Chart[Any]) -> None:
    selection = select(opened, chart, chart.filters(), ROOT)
    known = quote.figures(selection)
    assert set(known) == set(selection.claims["claim_id"])
    published = selection.sources.set_index("source_id")
    for row in records(selection.claims.head(12)):
        said = quote.sentence(selection, row.claim_id)
        assert not re.search(r"\bnan\b|\bNone\b|<NA>|  |\{|\}", said), said
        assert said.endswith(".")
        if row.attribution != "primary":
            assert re.search(r"relayed by|misquoted by|does not name", said), said
        if row.dataset == "forecast":
            assert re.search(r"This is a forecast\.|This is an estimate\.", said), said
        note = quote.footnote(selection, row.claim_id)
        assert published.loc[row.source_id, "url"] in note
        assert selection.build_id in note
        assert not re.search(r"\bnan\b|\bNone\b", note)


@every_chart
def test_the_sentence_on_a_chart_says_what_stands_behind_it(opened: Warehouse, chart: Chart[Any]) -> None:
    selection = select(opened, chart, chart.filters(), ROOT)
    said = quote.sentence(selection)
    takeaway = selection.takeaway.removesuffix(".")
    assert said.startswith(f"{takeaway} (GenAI Atlas, build of ")
    assert said.endswith(").")
    kinds = r"([\d,]+) (?:forecast|estimate|survey result|part-period figure|reported figure)"
    numbers = re.findall(kinds, said.removeprefix(takeaway))
    assert sum(int(number.replace(",", "")) for number in numbers) == len(selection.claims)
    if selection.claims.empty:
        assert "from records of" in said


def test_several_figures_of_a_kind_stand_in_the_plural(opened: Warehouse) -> None:
    chart = REGISTRY["ai-job-postings"]
    selection = select(opened, chart, chart.filters(counter="indeed"), ROOT)
    partial = int((selection.claims["kind"] == "partial").sum())
    assert f"from {partial} part-period figures, " in quote.sentence(selection)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"attribution": "primary"},
            "IDC (2024-08) expects the market “Generative AI” worldwide to go from $10 bn in 2023 to ",
        ),
        (
            {"attribution": "relayed", "relayed_by": None},
            "IDC (2024-08), as relayed by news.example, expects",
        ),
        (
            {"attribution": "relayed", "relayed_by": "Statista"},
            "IDC (2024-08), as relayed by Statista, expects",
        ),
        (
            {"attribution": "misquoted"},
            "IDC (2024-08), as misquoted by news.example (the original",
        ),
        (
            {"attribution": "inferred"},
            "A firm that news.example does not name, by the figures IDC",
        ),
        (
            {"attribution": "unnamed", "publisher": "Firm not named"},
            "A firm that news.example does not name (2",
        ),
        ({"bound": "at_least"}, "to at least $20 bn in 2028"),
        ({"base_value_usd_bn": None}, "worldwide to come to $20 bn in 2028, growing"),
        (
            {"forecast_value_usd_bn": None},
            "worldwide at $10 bn in 2023, growing by 14.9% a year. This is",
        ),
        (
            {"forecast_value_usd_bn": None, "base_value_usd_bn": None},
            "to grow by 14.9% a year. This is a f",
        ),
        ({"cagr_pct": None}, "to $20 bn in 2028. This is a forecast."),
        ({"place": "Germany"}, "“Generative AI” in Germany to go"),
        ({"published": None}, "IDC (undated)"),
        ({}, "$10 bn in 2023 to $20 bn in 2028, growing by 14.9% a year. This is a forecast."),
    ],
)
def test_a_forecast_expects(opened: Warehouse, fields: dict[str, Any], expected: str) -> None:
    usual: dict[str, Any] = {
        "publisher": "IDC",
        "published": "2024-08",
        "carrier": "news.example",
        "subject": "Generative AI, market size",
        "place": "World",
        "base_year": 2023,
        "base_value_usd_bn": 10.0,
        "forecast_year": 2028,
        "forecast_value_usd_bn": 20.0,
        "cagr_pct": 14.9,
        "bound": None,
        "attribution": "primary",
    }
    assert expected in with_claim(selected(opened, "market-forecasts"), **{**usual, **fields})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "actual"}, "Eurostat (2025-01) reports: Firms using AI, Germany, 2024: 19.75 per cent."),
        ({"kind": "survey"}, "Eurostat (2025-01) found in a survey: Firms using AI"),
        ({"kind": "survey", "sample_size": 12000}, "Germany, 2024, n = 12,000: 19.75 per cent."),
        ({"kind": "estimate"}, "Eurostat (2025-01) estimates: Firms"),
        ({"kind": "forecast"}, "Eurostat (2025-01) expects: Firms"),
        ({"kind": "partial"}, "reports for a part of the period: Firms"),
        ({"bound": "about"}, ": about 19.75 per cent."),
        ({"basis": "computed from published figures"}, "19.75 per cent (computed from published figures)."),
    ],
)
def test_an_observation_reports(opened: Warehouse, fields: dict[str, Any], expected: str) -> None:
    usual: dict[str, Any] = {
        "dataset": "adoption",
        "publisher": "Eurostat",
        "published": "2025-01",
        "subject": "Firms using AI",
        "place": "Germany",
        "period": "2024",
        "value": 19.75,
        "unit_label": "per cent",
        "attribution": "primary",
        "kind": "actual",
        "bound": None,
        "basis": None,
        "sample_size": None,
    }
    assert expected in with_claim(selected(opened, "adoption-over-time"), **{**usual, **fields})


# --- references -----------------------------------------------------------------------------------


@every_chart
def test_references_name_author_title_date_and_address(opened: Warehouse, chart: Chart[Any]) -> None:
    selection = select(opened, chart, chart.filters(), ROOT)
    for claim_id in (None, *selection.claims["claim_id"].head(3)):
        (item,) = json.loads(quote.csl(selection, claim_id))
        entry = quote.bibtex(selection, claim_id)
        assert item["title"]
        assert item["URL"].startswith("http")
        assert selection.build_id in item["note"]
        assert entry.startswith(f"@misc{{{item['id']},\n")
        assert entry.count("{") - entry.count("\\{") == entry.count("}") - entry.count("\\}")
        assert f"url = {{{item['URL']}}}" in entry
        if "issued" in item:
            assert f"year = {{{item['issued']['date-parts'][0][0]}}}" in entry


@given(st.text(max_size=60))
def test_no_title_breaks_an_entry(text: str) -> None:
    escaped = quote._tex(text)
    bare = re.sub(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\[&%$#_{}]", "", escaped)
    assert not set(bare) & set("\\{}&%$#_~^")


@pytest.mark.parametrize(
    ("published", "date"),
    [("2024-08-19", [2024, 8, 19]), ("2024-08", [2024, 8]), ("2024", [2024]), (None, []), ("2024-Q1", [])],
)
def test_a_date_is_as_exact_as_it_was_published(published: str | None, date: list[int]) -> None:
    assert quote._date(published) == date


# --- SQL and Python -------------------------------------------------------------------------------


@every_chart
@given(data=st.data())
@examples(2)
def test_the_statement_gives_the_rows_in_the_console(
    opened: Warehouse, chart: Chart[Any], data: st.DataObject
) -> None:
    filters = data.draw(choices(chart))
    selection = select(opened, chart, filters, ROOT)
    answer = run_query(opened.build.path, quote.sql(selection), max_rows=100_000, seconds=30)
    assert list(answer.columns) == list(selection.frame.columns)
    ids = answer.columns.index("claim_id")
    assert [row[ids] for row in answer.rows] == list(selection.frame["claim_id"])


def test_no_value_leaves_its_place_in_the_statement(opened: Warehouse) -> None:
    selection = selected(opened, "market-forecasts")
    nasty = selection.filters.model_copy(update={"publisher": ["'); DROP TABLE claim; --", "$market"]})
    answer = run_query(
        opened.build.path, quote.sql(replace(selection, filters=nasty)), max_rows=10, seconds=10
    )
    assert answer.rows == []


@pytest.mark.parametrize(
    ("chart_id", "asked"),
    [
        ("market-forecasts", {"publisher": ["IDC", "Gartner"], "published": ["2023", "2025"]}),
        ("market-growth-rates", {"repeats": ["true"]}),
        ("hub-map", {"size": ["ai-unicorns-cb-insights"]}),
        ("market-scenario", {"growth": ["30"]}),
        ("workforce-by-country", {}),
    ],
)
def test_the_python_gives_the_rows(opened: Warehouse, chart_id: str, asked: dict[str, list[str]]) -> None:
    selection = selected(opened, chart_id, **asked)
    scope: dict[str, Any] = {}
    exec(quote.python(selection), scope)  # noqa: S102 - what a reader will run
    pd.testing.assert_frame_equal(scope["frame"], selection.frame)


def test_the_lines_in_the_readme_do_what_they_say(opened: Warehouse) -> None:
    text = README.read_text(encoding="utf-8")
    lines = text[text.index("    from dashboard import atlas") :].split("\n\n")[0]
    code = "\n".join(line.removeprefix("    ") for line in lines.splitlines())
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - what a reader will run
    drawn = selected(opened, "market-forecasts", publisher=["IDC", "Gartner"])
    pd.testing.assert_frame_equal(scope["frame"], drawn.frame)
    assert scope["frame"].attrs["how_to_cite"].startswith("GenAI Atlas, “")
    assert scope["figure"].to_json() == drawn.figure("light").to_json()


def test_a_notebook_hears_what_is_wrong(opened: Warehouse) -> None:
    with pytest.raises(UnknownChartError, match="There is no chart 'nope'"):
        atlas.frame("nope")
    with pytest.raises(FilterError, match="'publisher' cannot be 'Nobody'"):
        atlas.frame("market-forecasts", publisher=["Nobody"])
    assert len(atlas.charts()) == len(REGISTRY)
    assert set(atlas.sources("market-forecasts", publisher="IDC")["publisher"]) == {"IDC"}


def test_no_filter_has_the_name_of_another_argument() -> None:
    names = {name for chart in REGISTRY.values() for name in chart.filters.model_fields}
    assert not names & {"chart_id", "mode"}
