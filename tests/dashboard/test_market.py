"""The market's charts by value: what they say and draw is what the claims say."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import theme
from dashboard.chart import REGISTRY
from dashboard.charts.market_arithmetic import VERDICTS
from dashboard.charts.market_paths import ScenarioFilters, scenario_value
from dashboard.warehouse import Warehouse

WHOLE = (
    "market_id = 'generative_ai' AND entity_id = 'world' AND segment IS NULL AND NOT is_repeat "
    "AND forecast_value_usd_bn IS NOT NULL"
)


def shown(opened: Warehouse, chart_id: str, **choice: Any) -> tuple[pd.DataFrame, Any, str]:
    """The rows, the figure and the sentence of a chart for a choice of filters."""
    chart = REGISTRY[chart_id]
    filters = chart.filters(**choice)
    frame = opened.query(*chart.query(filters))
    return frame, chart.draw(frame, filters), chart.summary(frame, filters)


def scalar(opened: Warehouse, sql: str) -> Any:
    return opened.query(sql).iloc[0, 0]


def test_all_paths_are_drawn_with_both_their_ends(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-forecasts")
    assert len(frame) == scalar(opened, f"SELECT count(*) FROM forecast_path WHERE {WHOLE}")
    marks = [
        (entry[0], x, y)
        for trace in figure.data
        if trace.customdata is not None
        for entry, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
        if entry[0]
    ]
    ends = {(row.claim_id, row.forecast_year, row.forecast_value_usd_bn) for row in frame.itertuples()}
    based = frame.dropna(subset=["base_year", "base_value_usd_bn"])
    ends |= {(row.claim_id, row.base_year, row.base_value_usd_bn) for row in based.itertuples()}
    assert set(marks) == ends
    assert sentence.startswith(f"{len(frame)} published paths do not agree")


def test_the_sentence_on_the_paths_is_about_the_year_that_most_publishers_name(opened: Warehouse) -> None:
    stated = opened.query(
        f"""
        SELECT year, min(value_usd_bn) AS low, max(value_usd_bn) AS high,
            count(DISTINCT publisher) AS publishers
        FROM forecast_value JOIN (SELECT claim_id FROM forecast_path WHERE {WHOLE}) USING (claim_id)
        WHERE publisher <> 'Firm not named'
        GROUP BY year ORDER BY publishers DESC, year DESC LIMIT 1
        """
    ).iloc[0]
    _, _, sentence = shown(opened, "market-forecasts")
    assert sentence.endswith(
        f"for {stated.year:.0f} alone, {stated.publishers:.0f} publishers say anything from "
        f"{theme.usd_bn(stated.low)} to {theme.usd_bn(stated.high)}, "
        f"a factor of {theme.times(stated.high / stated.low)}."
    )


def test_highlighted_publishers_are_in_colour_and_all_others_grey(opened: Warehouse) -> None:
    _, figure, _ = shown(opened, "market-forecasts", highlight=["IDC", "Gartner"])
    colors = {trace.name: trace.line.color for trace in figure.data if trace.name != "spread"}
    assert colors.keys() == {"Other publishers", "IDC", "Gartner"}
    assert colors["Other publishers"] == theme.FAINT
    assert {colors["IDC"], colors["Gartner"]} <= set(theme.PALETTE)
    assert [note.text for note in figure.layout.annotations] == ["IDC", "Gartner"]


@pytest.mark.parametrize(("scale", "kind"), [("log", "log"), ("linear", "linear")])
def test_the_scale_is_the_readers(opened: Warehouse, scale: str, kind: str) -> None:
    _, figure, _ = shown(opened, "market-forecasts", scale=scale)
    assert figure.layout.yaxis.type == kind
    assert "$1 tn" in figure.layout.yaxis.ticktext
    assert figure.layout.title.text == "Market size, US$" + (" (log scale)" if scale == "log" else "")


def test_filters_narrow_the_rows(opened: Warehouse) -> None:
    frame, _, _ = shown(
        opened,
        "market-forecasts",
        publisher=["IDC", "Statista"],
        attribution=["relayed"],
        published=(2023, 2024),
        target=(2026, 2030),
    )
    assert not frame.empty
    assert set(frame["publisher"]) <= {"IDC", "Statista"}
    assert set(frame["attribution"]) == {"relayed"}
    assert frame["published_year"].between(2023, 2024).all()
    assert frame["forecast_year"].between(2026, 2030).all()


def test_repeats_come_only_when_they_are_asked_for(opened: Warehouse) -> None:
    once, _, _ = shown(opened, "market-forecasts")
    twice, _, _ = shown(opened, "market-forecasts", repeats=True)
    assert not once["is_repeat"].any()
    assert set(once["claim_id"]) == set(twice.loc[~twice["is_repeat"], "claim_id"])
    assert twice["is_repeat"].any()


def test_one_year_counts_bases_and_targets_of_that_year(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-size-by-year", year=2030)
    assert set(frame["year"]) == {2030}
    low, high = frame["value_usd_bn"].min(), frame["value_usd_bn"].max()
    assert theme.usd_bn(low) in sentence
    assert theme.usd_bn(high) in sentence
    assert f"{theme.times(high / low)} times as much" in sentence
    (marks,) = [trace for trace in figure.data if trace.mode == "markers"]
    assert sorted(marks.x) == sorted(frame["value_usd_bn"])


def test_a_year_that_one_claim_speaks_of_is_said_to_be_so(opened: Warehouse) -> None:
    chart = REGISTRY["market-size-by-year"]
    frame, _, _ = shown(opened, "market-size-by-year")
    sentence = chart.summary(frame.head(1), chart.filters())
    first = frame.iloc[0]
    assert (
        sentence
        == f"Only one claim speaks of 2030: {first.publisher} says {theme.usd_bn(first.value_usd_bn)}."
    )


def test_growth_rates_are_as_printed(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-growth-rates")
    (marks,) = [trace for trace in figure.data if trace.mode == "markers"]
    assert sorted(marks.x) == sorted(frame["cagr_pct"])
    between = int(((frame["cagr_pct"] >= 30) & (frame["cagr_pct"] <= 50)).sum())
    assert f"{between} of them lie between 30 and 50%" in sentence
    assert f"{theme.exact(frame['cagr_pct'].max())}% a year" in sentence


def test_the_arithmetic_tells_how_many_claims_do_not_add_up(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-arithmetic")
    broken = int((frame["verdict"] == "inconsistent").sum())
    far = int((frame["relative_error_pct"].abs() > 10).sum())
    assert sentence.startswith(f"Of {len(frame)} checkable claims, {broken} do not add up")
    assert f"{far} miss their own target by more than 10%" in sentence
    assert "not checkable" not in set(frame["verdict"])
    drawn = {trace.name: len(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert drawn == {name.capitalize(): int((frame["verdict"] == name).sum()) for name in VERDICTS}


def test_inconsistent_claims_are_named_without_covering_a_mark(opened: Warehouse) -> None:
    frame, figure, _ = shown(opened, "market-arithmetic")
    named = {note.text.replace("<br>", " ") for note in figure.layout.annotations}
    broken = frame[frame["verdict"] == "inconsistent"]
    known = {f"{row.publisher} {row.published_year}" for row in broken.itertuples()} | set(
        broken["publisher"]
    )
    assert named <= known
    assert "IDC 2023" in named


def test_claims_that_add_up_are_told_so(opened: Warehouse) -> None:
    chart = REGISTRY["market-arithmetic"]
    frame, _, _ = shown(opened, "market-arithmetic")
    sound = frame[frame["verdict"] == "consistent"]
    assert chart.summary(sound, chart.filters()) == (
        f"{len(sound)} checkable claims: what is stated adds up within the rounding of the digits."
    )


def test_editions_of_one_publisher_are_told_apart(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-vintages")
    editions = sorted(frame["published_year"].unique())
    assert set(frame["publisher"]) == {"Fortune Business Insights"}
    assert [trace.name for trace in figure.data] == [str(edition) for edition in editions]
    assert len({trace.line.color for trace in figure.data}) == len(editions)
    assert "Fortune Business Insights said" in sentence
    labelled = {text for note in figure.layout.annotations for text in note.text.split(", ")}
    assert labelled == {str(edition) for edition in editions}


def test_the_largest_part_is_named_with_its_year(opened: Warehouse) -> None:
    frame, _, sentence = shown(opened, "market-segments")
    top = frame.sort_values("value_usd_bn").iloc[-1]
    parts = frame["segment"].nunique()
    assert sentence.startswith(
        f"The largest of {parts} parts on record is {top.segment}: {theme.usd_bn(top.value_usd_bn)}"
    )
    assert f"in {top.year}" in sentence
    assert frame["claim_id"].is_unique


def test_regions_leave_the_world_out(opened: Warehouse) -> None:
    frame, _, sentence = shown(opened, "market-regions")
    assert "world" not in set(frame["entity_id"])
    assert theme.usd_bn(frame["value_usd_bn"].max()) in sentence


@given(
    base=st.floats(0.1, 10_000, allow_nan=False),
    growth=st.floats(-50, 200, allow_nan=False),
    horizon=st.integers(2026, 2040),
)
def test_a_scenario_grows_by_the_same_factor_each_year(base: float, growth: float, horizon: int) -> None:
    filters = ScenarioFilters(base=base, growth=growth, horizon=horizon)
    values = [scenario_value(filters, year) for year in range(2025, horizon + 1)]
    assert values[0] == pytest.approx(base)
    assert values[-1] == scenario_value(filters)
    for before, after in pairwise(values):
        assert after / before == pytest.approx(1 + growth / 100)


def test_a_scenario_is_placed_among_the_targets_of_its_year(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "market-scenario", base=40, growth=30, horizon=2034)
    value = 40 * 1.3**9
    said = frame.loc[frame["forecast_year"] == 2034, "forecast_value_usd_bn"]
    assert (
        f"above {(said < value).sum()} and below {(said > value).sum()} of the {len(said)} published"
        in sentence
    )
    assert theme.usd_bn(round(value, 1)) in sentence
    (own,) = [trace for trace in figure.data if trace.name == "Your scenario"]
    assert own.customdata is None
    assert own.y[-1] == pytest.approx(value)


def test_investment_is_summed_up_by_its_latest_year(opened: Warehouse) -> None:
    frame, _, sentence = shown(opened, "investment-by-year")
    latest = frame[frame["year"] == frame["year"].max()]["harmonised_value"]
    assert f"{theme.usd_bn(latest.min())} to {theme.usd_bn(latest.max())}" in sentence


@pytest.mark.parametrize("funding", ["ai_share_of_vc", "ai_vc_deals"])
def test_investment_that_is_no_money_has_no_dollars(opened: Warehouse, funding: str) -> None:
    frame, figure, sentence = shown(opened, "investment-by-year", funding=funding)
    assert not frame.empty
    assert "$" not in sentence + figure.layout.title.text
    assert ("%" in sentence) == (funding == "ai_share_of_vc")


def test_investment_by_country_ranks_by_the_largest_figure(opened: Warehouse) -> None:
    frame, figure, sentence = shown(opened, "investment-by-country")
    highest = frame.groupby("place")["harmonised_value"].max().sort_values()
    assert re.search(
        rf": {highest.index[-1]} stands first with .*{re.escape(theme.usd_bn(highest.iloc[-1]))}", sentence
    )
    assert [name.replace("<br>", " ") for name in figure.layout.yaxis.categoryarray] == list(highest.index)


def test_forecasts_are_dashed_and_targets_hollow(opened: Warehouse) -> None:
    _, paths, _ = shown(opened, "market-forecasts")
    assert {trace.line.dash for trace in paths.data if trace.name != "spread"} == {"4px,3px"}
    frame, strip, _ = shown(opened, "market-size-by-year")
    (marks,) = [trace for trace in strip.data if trace.mode == "markers"]
    for (claim_id, _), symbol in zip(marks.customdata, marks.marker.symbol, strict=True):
        row = frame[frame["claim_id"] == claim_id].iloc[0]
        assert symbol.endswith("-open") == (row.role == "target" and row.attribution != "misquoted")
