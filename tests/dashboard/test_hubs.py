"""Hubs: the arithmetic of the ranking over made-up cities, and what the page says of the shipped data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.chart import REGISTRY
from dashboard.charts.hub_figures import amount, shown
from dashboard.charts.hub_ranking import PARTS, Figures, How, moved, part_points, points, ranking
from dashboard.charts.hub_ranks import RankingFilters, ranked
from dashboard.charts.marks import records
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import texts

EQUAL = dict.fromkeys(PARTS, 5.0)


def listed(part: str, publisher: str, **values: float) -> pd.DataFrame:
    """One publisher's list about one part."""
    return pd.DataFrame(
        {
            "entity_id": list(values),
            "list_id": f"{part}-{publisher}",
            "part": part,
            "publisher": publisher,
            "shown_value": [float(value) for value in values.values()],
        }
    )


def scores(frame: pd.DataFrame, how: How = "size") -> list[float]:
    """The points of each figure."""
    return list(points(Figures.of(frame), how).round(3))


def rank(frame: pd.DataFrame, *, how: Any = "size", least: int = 1, **weights: float) -> Any:
    return ranking(frame, {**dict.fromkeys(PARTS, 0.0), **weights}, how=how, least=least)


# --- points --------------------------------------------------------------------------------------------


def test_the_leader_of_a_list_has_100_points_and_a_tenfold_is_worth_the_same_anywhere() -> None:
    assert scores(listed("startups", "x", a=999, b=99, c=9, d=0)) == [100, 66.667, 33.333, 0]


def test_pay_counts_as_it_is_and_low_prices_count_for_more() -> None:
    assert scores(listed("pay", "x", a=200_000, b=50_000)) == [100, 25]
    assert scores(listed("cost", "x", a=120, b=30)) == [25, 100]


def test_by_order_points_are_the_part_of_the_others_that_a_city_is_ahead_of() -> None:
    assert scores(listed("talent", "x", a=5, b=5, c=1, d=900), "order") == [50, 50, 0, 100]
    assert scores(listed("cost", "x", a=90, b=30, c=60), "order") == [0, 100, 50]
    assert scores(listed("pay", "x", a=1), "order") == [100]


def test_a_part_is_the_mean_of_its_publishers_however_many_lists_each_has() -> None:
    one = listed("pay", "one", a=100, b=50)
    frame = pd.concat([one, one.assign(list_id="again"), listed("pay", "two", a=50, b=100)])
    assert part_points(Figures.of(frame), "size")[:, list(PARTS).index("pay")].tolist() == [75, 75]


# --- ranks ---------------------------------------------------------------------------------------------


def test_what_is_missing_stays_missing() -> None:
    frame = pd.concat([listed("startups", "x", a=10, b=100), listed("pay", "x", a=100)])
    table = rank(frame, startups=1, pay=1)
    assert pd.isna(table.loc["b", "pay"])
    assert table.loc["b", "total"] == 100  # its one known part alone
    assert table.loc["b", "known"] == 1
    assert list(rank(frame, startups=1, pay=1, least=2).index) == ["a"]


def test_the_weights_decide() -> None:
    frame = pd.concat([listed("startups", "x", a=10, b=1000), listed("cost", "x", a=20, b=100)])
    assert rank(frame, startups=9, cost=1)["rank"].to_dict() == {"b": 1, "a": 2}
    assert rank(frame, startups=1, cost=9)["rank"].to_dict() == {"a": 1, "b": 2}
    assert rank(frame).empty


def test_every_weight_is_halved_kept_and_raised_by_half_in_every_combination() -> None:
    weights = moved(pd.Series([4.0, 0.0, 2.0]).to_numpy())
    assert sorted(map(tuple, weights)) == [
        (a, 0, b) for a in (2, 4, 6) for b in (1, 2, 3)
    ]  # a weight of nothing stays nothing


def test_the_range_of_a_rank_shows_what_half_a_weight_can_turn() -> None:
    frame = pd.concat([listed("startups", "x", a=100, b=40), listed("pay", "x", a=70, b=100)])
    table = rank(frame, startups=5, pay=5)
    assert table[["low_weights", "high_weights"]].to_numpy().tolist() == [[1, 2], [1, 2]]
    steady = rank(
        pd.concat([listed("startups", "x", a=100, b=4), listed("pay", "x", a=100, b=4)]), startups=5, pay=5
    )
    assert steady[["low_weights", "high_weights"]].to_numpy().tolist() == [[1, 1], [2, 2]]


def test_leaving_out_a_source_can_turn_ranks_or_take_a_city_out() -> None:
    frame = pd.concat([listed("startups", "one", a=100, b=50, c=10), listed("startups", "two", b=1000, a=10)])
    table = rank(frame, startups=1)
    assert table.loc["a", ["low_sources", "high_sources"]].tolist() == [1, 2]
    assert table.loc["b", ["low_sources", "high_sources"]].tolist() == [1, 2]
    assert table.loc["c", "needs"] == ["one"]
    assert table.loc["a", "needs"] == []


def figures_of_cities() -> st.SearchStrategy[pd.DataFrame]:
    """Any figures of up to eight cities by up to three publishers."""
    cell = st.tuples(
        st.sampled_from("abcdefgh"),
        st.sampled_from(list(PARTS)),
        st.sampled_from("xyz"),
        st.integers(1, 10**6),
    )
    return st.lists(cell, min_size=1, max_size=40, unique_by=lambda row: row[:3]).map(
        lambda rows: pd.concat([listed(part, by, **{city: value}) for city, part, by, value in rows])
    )


any_weights = st.fixed_dictionaries(dict.fromkeys(PARTS, st.integers(0, 10)))
some = settings(max_examples=25, deadline=None)


@given(figures_of_cities(), any_weights, st.sampled_from(["size", "order"]), st.integers(1, 5))
@some
def test_every_rank_lies_in_its_ranges_and_ranks_are_complete(
    frame: pd.DataFrame, weights: dict[str, int], how: Any, least: int
) -> None:
    table: Any = ranking(frame, weights, how=how, least=least)
    for kind in ("weights", "sources"):
        assert (table[f"low_{kind}"] <= table["rank"]).all()
        assert (table["rank"] <= table[f"high_{kind}"]).all()
    assert table["rank"].is_monotonic_increasing
    assert table.empty or table["rank"].iloc[0] == 1
    assert (table["rank"] <= len(table)).all()
    assert table["total"].between(0, 100 + 1e-9).all()


@given(figures_of_cities(), any_weights, st.sampled_from([0.5, 2.0, 10.0]))
@some
def test_only_the_proportions_of_the_weights_matter(
    frame: pd.DataFrame, weights: dict[str, int], factor: float
) -> None:
    scaled = {part: weight * factor for part, weight in weights.items()}
    usual, other = (ranking(frame, chosen, how="size", least=1) for chosen in (weights, scaled))
    assert usual["rank"].to_dict() == other["rank"].to_dict()


@given(figures_of_cities(), any_weights)
@some
def test_who_is_better_in_everything_is_never_behind(frame: pd.DataFrame, weights: dict[str, int]) -> None:
    table: Any = ranking(frame, weights, how="size", least=1)
    used = [part for part, weight in weights.items() if weight]
    known = table[used].notna()
    for one in table.index:
        for other in table.index:
            if (known.loc[one] == known.loc[other]).all():
                shared = [part for part in used if known.loc[one, part]]
                if (table.loc[one, shared] >= table.loc[other, shared]).all():
                    assert table.loc[one, "rank"] <= table.loc[other, "rank"]


# --- the shipped data ----------------------------------------------------------------------------------


def rows(opened: Warehouse, chart_id: str, **asked: Any) -> tuple[Any, Any]:
    """The rows of a chart and its filters."""
    chart = REGISTRY[chart_id]
    filters = chart.filters(**asked)
    return opened.query(*chart.query(filters)), filters


def said(opened: Warehouse, chart_id: str, **asked: Any) -> str:
    """The takeaway of a chart."""
    frame, filters = rows(opened, chart_id, **asked)
    return REGISTRY[chart_id].summary(frame, filters)


def test_a_list_names_a_place_once_and_an_area_is_always_said(opened: Warehouse) -> None:
    frame: Any = opened.query("SELECT * FROM hub_figure")
    assert not frame.duplicated(["list_id", "entity_id"]).any()
    assert frame.groupby("list_id")["list_label"].nunique().eq(1).all()
    assert frame[["area", "shown_value", "claim_id"]].notna().all(axis=None)


def test_the_price_level_of_a_city_abroad_is_that_of_its_country_and_says_so(opened: Warehouse) -> None:
    frame: Any = opened.query("SELECT * FROM hub_figure WHERE list_id = 'price-level'").set_index("entity_id")
    country: Any = opened.query("SELECT * FROM country_profile").set_index("entity_id")
    bengaluru = frame.loc["bengaluru-in"]
    assert bengaluru["shown_value"] == pytest.approx(100 * country.loc["IND", "price_level"])
    assert bengaluru["area"] == "India, the whole country"
    assert bengaluru["is_computed"]
    assert bengaluru["rate_publisher"] == "US Federal Reserve"
    own = frame.loc["san-francisco-us"]
    assert own["shown_value"] == own["value"] == 118.225
    assert own["area"].startswith("metropolitan area San Francisco")
    american = frame[(frame["country_id"] == "USA") & (frame["place_kind"] == "city")]
    assert set(american["publisher"]) == {"US Bureau of Economic Analysis"}


def test_the_map_says_who_leads_and_draws_cities_without_one_of_the_figures(opened: Warehouse) -> None:
    frame, filters = rows(opened, "hub-map")
    text = said(opened, "hub-map")
    assert "San Francisco has the most, 398 companies; New York follows with 106." in text
    figure = REGISTRY["hub-map"].draw(frame, filters)
    marks = {trace.name: len(trace.lat) for trace in figure.data}
    sized = set(frame.loc[frame["list_id"] == filters.size, "entity_id"])
    coloured = set(frame.loc[frame["list_id"] == filters.colour, "entity_id"])
    assert marks["cities"] == len(sized & coloured)
    assert marks["no figure for the colour"] == len(sized - coloured)
    assert marks["no figure for the size"] == len(coloured - sized)


def test_a_click_on_a_mark_can_tell_which_city_it_is(opened: Warehouse) -> None:
    cities = set(opened.query("SELECT entity_id FROM hub_profile")["entity_id"])
    for chart_id in ("hub-map", "hub-ranking", "hub-profile"):
        frame, filters = rows(opened, chart_id)
        figure = REGISTRY[chart_id].draw(frame, filters)
        data = [entry for trace in figure.data for entry in trace.customdata or ()]
        assert data
        assert {entry[2] for entry in data} <= cities


def test_the_ranking_shows_what_is_missing_and_how_far_its_ranks_can_move(opened: Warehouse) -> None:
    frame, filters = rows(opened, "hub-ranking")
    table: Any = ranked(frame, filters)
    assert pd.isna(table.loc["bengaluru-in", "funding"])
    assert (table["known"] >= 3).all()
    assert (table["high_weights"] > table["low_weights"]).sum() > len(table) / 2
    leader, size = table["city"].iloc[0], len(table)
    assert said(opened, "hub-ranking").startswith(f"By these weights {leader} comes first of {size} cities; ")
    figure = REGISTRY["hub-ranking"].draw(frame, filters)
    crosses = sum(
        list(trace.marker.symbol).count("x-thin") for trace in figure.data if trace.name in PARTS.values()
    )
    assert crosses == table.head(20)[list(PARTS)].isna().sum().sum()


def test_lists_of_the_united_states_alone_count_for_its_own_ranking_only(opened: Warehouse) -> None:
    world, _ = rows(opened, "hub-ranking")
    own, _ = rows(opened, "hub-ranking", compete="us")
    assert "US Bureau of Labor Statistics" not in set(world["publisher"])
    assert "US Bureau of Labor Statistics" in set(own["publisher"])
    assert set(own["country_id"]) == {"USA"}


def test_a_city_known_too_little_is_said_to_be_unranked(opened: Warehouse) -> None:
    assert "London has figures in too few parts" in said(opened, "hub-ranking", place="london-gb", known="5")
    table: Any = ranked(*rows(opened, "hub-ranking", place="london-gb"))
    assert table.loc["london-gb", "rank"] > 0
    weightless = RankingFilters(w_startups=0, w_talent=0, w_funding=0, w_pay=0, w_cost=0)
    frame, _ = rows(opened, "hub-ranking")
    assert REGISTRY["hub-ranking"].summary(frame, weightless).startswith("No city can be ranked")


def test_cities_side_by_side_carry_figure_and_year_and_say_what_is_missing(opened: Warehouse) -> None:
    frame, filters = rows(opened, "hub-compare")
    figure = REGISTRY["hub-compare"].draw(frame, filters)
    written = [note.text.strip() for note in figure.layout.annotations]
    assert "168 (August 2022)" in written  # CB Insights, San Francisco
    assert "398 (2024)" in written  # Y Combinator, San Francisco
    assert "≥ 1,000,000 (2025)" in written  # CBRE, Bengaluru
    assert "no figure" in written
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert max(bar.x[0] for bar in bars) == 1
    six = ["london-gb", "paris-fr", "berlin-de", "tokyo-jp", "boston-us", "austin-us"]
    assert "Only the first 5 are drawn." in said(opened, "hub-compare", cities=six)


def test_pay_is_set_against_prices_and_cities_without_a_price_level_are_named(opened: Warehouse) -> None:
    frame, _ = rows(opened, "hub-cost-and-pay")
    pay = frame[frame["part"] == "pay"].set_index("place")["shown_value"]
    level = frame[frame["part"] == "cost"].set_index("place")["shown_value"]
    worth = (100 * pay / level).dropna()
    text = said(opened, "hub-cost-and-pay")
    assert f"{worth.idxmax()} comes first" in text
    assert f"${worth.max():,.0f} do at US prices" in text
    for place in pay.index.difference(level.index):
        assert place in text.split("No price level is known for ")[1]
    assert text.endswith("No price level is known for Cambridge and Tel Aviv.")


def test_a_profile_ranks_a_place_among_those_of_its_kind(opened: Warehouse) -> None:
    frame, _ = rows(opened, "hub-profile", place="IND")
    assert set(frame["place_kind"]) == {"country"}
    assert "San Francisco has a figure in" in said(opened, "hub-profile")
    assert "(1 of 122)" in said(opened, "hub-profile")


def test_a_figure_reads_as_it_was_published(opened: Warehouse) -> None:
    assert amount(118.225, "us_100") == "118.225"
    assert amount(0.5, "usd_bn") == "$500 M"
    assert amount(162_500, "usd_per_year") == "$162,500"
    frame: Any = opened.query(
        "SELECT * FROM hub_figure WHERE metric_id = 'tech_workers' AND entity_id = 'london-gb'"
    )
    assert "≥ 300,000" in {shown(row) for row in records(frame)}


# --- the page ------------------------------------------------------------------------------------------


def headers(app: AppTest) -> list[str]:
    return [heading.value for heading in app.header]


def test_the_page_shows_all_its_charts_and_says_where_prices_come_from(
    run_page: Callable[..., AppTest],
) -> None:
    app = run_page("hubs.py")
    assert not app.exception
    titles = [heading.value for heading in app.subheader]
    for chart_id in ("hub-map", "hub-profile", "hub-ranking", "hub-compare", "hub-cost-and-pay"):
        assert REGISTRY[chart_id].title in titles
    said_there = texts(app)
    assert "Numbeo" in said_there
    assert "whole country elsewhere (World Bank)" in said_there


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("london-gb", "London, United Kingdom"),
        ("bengaluru-in", "Bengaluru, India"),
        ("USA", "United States"),
        ("GBR", "United Kingdom"),
    ],
)
def test_a_place_that_readers_ask_for_is_one_click_away(
    run_page: Callable[..., AppTest], place: str, name: str
) -> None:
    app = run_page("hubs.py")
    assert headers(app)[0] == "San Francisco, United States"
    app.button(key=f"quick-{place}").click().run()
    assert not app.exception
    assert headers(app)[0] == name
    assert app.selectbox(key="place").value == place


def test_figures_companies_pay_and_ranks_open_on_demand(run_page: Callable[..., AppTest]) -> None:
    opened = {f"open_{name}": "true" for name in ("figures", "companies", "pay", "ranks")}
    app = run_page("hubs.py", place="London, United Kingdom", **opened)
    assert not app.exception
    tables = [frame.value for frame in app.dataframe]
    by_first = {table.columns[0]: table for table in tables}
    assert set(by_first) == {"Figure", "Company", "Role", "Rank"}
    assert by_first["Figure"]["Publisher"].notna().all()
    assert "Wayve" in set(by_first["Company"]["Company"])
    assert by_first["Rank"]["Rank"].iloc[0] == 1
