"""Companies: dated figures, sums that leave out what is unknown, a list that opens profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.chart import REGISTRY
from dashboard.charts.companies import by_country_sums, names_with_room, paired
from dashboard.charts.marks import records
from dashboard.company_figures import by_age, in_words
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import texts


def rows(opened: Warehouse, chart_id: str, **asked: Any) -> tuple[pd.DataFrame, Any]:
    """The rows of a chart and its filters."""
    chart = REGISTRY[chart_id]
    filters = chart.filters(**asked)
    return opened.query(*chart.query(filters)), filters


def said(opened: Warehouse, chart_id: str, **asked: Any) -> str:
    """The takeaway of a chart."""
    frame, filters = rows(opened, chart_id, **asked)
    return REGISTRY[chart_id].summary(frame, filters)


def test_who_raised_and_who_is_worth_most(opened: Warehouse) -> None:
    assert said(opened, "company-funding") == (
        "OpenAI leads: it is said to have raised $180 bn (2026, OpenDossier), before Anthropic with "
        "$29.404 bn (2 September 2025). 61 figures, all relayed, dated March 2022 to 16 June 2026."
    )
    assert said(opened, "company-valuation").startswith(
        "Anthropic leads: it is said to be worth $965 bn (29 May 2026, Orrick), before OpenAI with $852 bn"
    )


def test_every_mark_carries_its_year_and_bounds_look_different(opened: Warehouse) -> None:
    frame, filters = rows(opened, "company-funding")
    figure = REGISTRY["company-funding"].draw(frame, filters)
    marks = {
        text.strip(): symbol
        for trace in figure.data
        for text, symbol in zip(trace.text, trace.marker.symbol, strict=True)
    }
    assert marks["$180 bn, 2026"] == "circle"
    assert marks["at least $430 M, 2025"] == "triangle-right"


def test_sums_by_country_leave_out_what_is_unknown(opened: Warehouse) -> None:
    frame, _ = rows(opened, "funding-by-country")
    sums = by_country_sums(frame, "country")
    assert (sums["companies"]["United States"], sums["listed"]["United States"]) == (31, 62)
    assert sums.loc["United States", "total"] == pytest.approx(232.4717)
    assert "South Korea" not in sums.index, "four companies, no figure: unknown, not zero"
    assert said(opened, "funding-by-country") == (
        "The United States leads with $232.5 bn, added up over 31 of its 62 companies on the list; OpenAI "
        "alone is 68% of all. No figure was found in Hong Kong, the Netherlands, South Korea and the United "
        "Arab Emirates."
    )


def test_money_per_inhabitant_is_the_sum_over_the_population(opened: Warehouse) -> None:
    frame, _ = rows(opened, "funding-by-country", per="head")
    sums = by_country_sums(frame, "head")
    people = frame.drop_duplicates("country").set_index("country")["inhabitants"]
    totals = frame.groupby("country")["value_usd_bn"].sum()
    assert sums["total"].to_dict() == pytest.approx((totals * 1e9 / people).to_dict())
    assert " an inhabitant, added up over " in said(opened, "funding-by-country", per="head")


def test_worth_against_money_raised_needs_both_figures(opened: Warehouse) -> None:
    frame, _ = rows(opened, "company-funding-valuation")
    pairs = paired(frame)
    assert len(pairs) == pairs["company_id"].nunique() == 51
    assert (pairs["ratio"] * pairs["value_usd_bn_raised"]).tolist() == pytest.approx(
        pairs["value_usd_bn"].tolist()
    )
    only_valued = frame[frame["metric_id"] == "company_valuation"]
    chart = REGISTRY["company-funding-valuation"]
    assert chart.summary(only_valued, chart.filters()).startswith("No company of this choice has both")
    assert chart.draw(only_valued, chart.filters()).layout.annotations[0].text.startswith("No company")


def test_the_company_that_the_sentence_names_is_named_in_the_scatter(opened: Warehouse) -> None:
    pairs = paired(rows(opened, "company-funding-valuation")[0])
    named = names_with_room(pairs, (0.02, 300), (0.5, 1800))
    assert {"company-cursor-anysphere", "company-openai", "company-anthropic"} <= set(named)
    assert len(named) <= 14


def test_every_company_is_a_block(opened: Warehouse) -> None:
    frame, filters = rows(opened, "companies-by-country")
    figure = REGISTRY["companies-by-country"].draw(frame, filters)
    assert sum(len(trace.x) for trace in figure.data) == len(frame) == 122
    assert "62 of them at home in the United States" in said(opened, "companies-by-country")


def test_the_page_lists_companies_and_opens_a_profile(run_page: Callable[..., AppTest]) -> None:
    page = run_page("companies.py")
    assert not page.exception
    assert "money raised is known for 61 of them and a valuation for 67" in texts(page)
    assert len(page.get("plotly_chart")) == 5
    assert len(page.dataframe[0].value) == 122
    page.text_input(key="seek").set_value("paris").run()
    assert len(page.dataframe[0].value) == 5
    page.selectbox(key="company").set_value("company-mistral-ai").run()
    assert not page.exception
    assert "Mistral AI**: startup, Paris, France, founded 2023." in texts(page)
    assert "relayed by OpenPitch" in texts(page)


FIGURE = {
    "metric_label": "Staff of a company",
    "value": 1110.0,
    "bound": None,
    "unit_label": "people",
    "currency": None,
    "harmonised_value": 1110.0,
    "period": "1999-12",
    "segment": None,
    "population": None,
    "publisher": "A publisher",
    "attribution": "primary",
    "relayed_by": None,
    "note": None,
}


def figures(*changed: dict[str, Any]) -> pd.DataFrame:
    """Figures of a company, as a profile asks for them."""
    return pd.DataFrame([FIGURE | each for each in changed])


def test_a_profile_leads_with_the_newest_figure_of_each_kind_by_each_publisher() -> None:
    known = figures(
        {},
        {"period": "1998-12"},
        {"publisher": "Another", "period": "1997"},
        {"segment": "Cloud"},
        {"period": "1996"},
    )
    newest, earlier = by_age(known)
    assert list(newest.index) == [0, 2, 3]
    assert list(earlier["period"]) == ["1998-12", "1996"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "Staff of a company: 1,110 people, December 1999 (A publisher)."),
        (
            {"currency": "USD", "value": 1.11e9},
            "Staff of a company: \\$1.11\N{NO-BREAK SPACE}bn, December 1999 (A publisher).",
        ),
        (
            {"attribution": "relayed"},
            "Staff of a company: 1,110 people, December 1999 (A publisher, relayed).",
        ),
        (
            {"relayed_by": "A page", "bound": "about"},
            "about 1,110 people, December 1999 (A publisher, relayed by A page).",
        ),
        (
            {"segment": "Cloud", "population": "weekly users"},
            "Staff of a company, Cloud, weekly users: 1,110 people",
        ),
        (
            {"note": "Media report: https://www.example.org/a_b?c=1, and [more]"},
            " Media report: [www.example.org](https://www.example.org/a_b?c=1), and \\[more\\]",
        ),
    ],
)
def test_a_figure_is_told_with_its_part_and_who_says_so(changed: dict[str, Any], words: str) -> None:
    (figure,) = records(figures(changed))
    assert words in in_words(figure)
