"""Workforce and adoption: what the pages say of the shipped data, what is joined, what stays apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard import theme
from dashboard.chart import REGISTRY
from dashboard.charts.adoption import breaks, editions, moment
from dashboard.charts.marks import spoken
from dashboard.charts.rows import Block, people, short, stack, the
from dashboard.charts.studies import signed
from dashboard.charts.workforce_places import pairs, shade
from dashboard.warehouse import Warehouse
from tests.dashboard.conftest import figures, texts


def rows(opened: Warehouse, chart_id: str, **asked: Any) -> tuple[pd.DataFrame, Any]:
    """The rows of a chart and its filters."""
    chart = REGISTRY[chart_id]
    filters = chart.filters(**asked)
    return opened.query(*chart.query(filters)), filters


def said(opened: Warehouse, chart_id: str, **asked: Any) -> str:
    """The takeaway of a chart."""
    frame, filters = rows(opened, chart_id, **asked)
    return REGISTRY[chart_id].summary(frame, filters)


def drawn(opened: Warehouse, chart_id: str, **asked: Any) -> Any:
    """The figure of a chart."""
    frame, filters = rows(opened, chart_id, **asked)
    return REGISTRY[chart_id].draw(frame, filters)


def written(figure: Any) -> list[str]:
    """The texts that a figure writes beside its marks."""
    return [note.text for note in figure.layout.annotations]


# --- workforce -----------------------------------------------------------------------------------------


def test_the_totals_are_one_block_a_definition_and_are_never_added(opened: Warehouse) -> None:
    frame, _ = rows(opened, "workforce-total")
    figure = drawn(opened, "workforce-total")
    headings = [text for text in written(figure) if text.startswith("<b>")]
    assert len(headings) == frame["metric_id"].nunique() == 7
    marks = [value for trace in figure.data for value in trace.x]
    assert sorted(marks) == sorted(frame["value"])
    assert "log scale" in figure.layout.title.text
    assert said(opened, "workforce-total") == (
        "For the world, Legaci Studios says 944,000 (2025) and Element AI 36,000 (2019), 26 times fewer: "
        "they do "
        "not count the same people."
    )


def test_words_stand_on_the_side_with_more_room(opened: Warehouse) -> None:
    frame, filters = rows(opened, "workforce-total")
    newest = frame[frame["segment"] == "data scientists"].iloc[-1]
    long = frame.assign(value=frame["value"].mask(frame["claim_id"] == newest["claim_id"], 110.0))
    notes = REGISTRY["workforce-total"].draw(long, filters).layout.annotations
    (note,) = [note for note in notes if note.text.replace("<br>", " ").endswith("data scientists: 110")]
    assert note.xanchor == "left"


def test_forecast_head_counts_are_hollow(opened: Warehouse) -> None:
    frame, filters = rows(opened, "workforce-total")
    figure = REGISTRY["workforce-total"].figure(frame, filters)
    shapes = {
        data[0]: shape for t in figure.data for data, shape in zip(t.customdata, t.marker.symbol, strict=True)
    }
    expected = set(frame.loc[frame["status"] == "forecast", "claim_id"])
    assert {claim for claim, shape in shapes.items() if shape == "circle-open"} == expected
    assert len(expected) == 7


def test_per_million_people_turns_the_ranking_round(opened: Warehouse) -> None:
    absolute, _ = rows(opened, "workforce-by-country")
    relative, _ = rows(opened, "workforce-by-country", per="million")
    assert list(absolute["place"])[:2] == ["India", "United States"]
    assert list(relative["place"])[:2] == ["Australia", "United States"]
    first = relative.iloc[0]
    assert first["shown"] == pytest.approx(1e6 * first["value"] / first["population_used"])
    assert first["value"] == 84_000


def test_the_map_shows_the_newest_figure_up_to_the_year_of_one_measure(opened: Warehouse) -> None:
    asked = {"measure": "ai_job_posting_share.Lightcast.Lightcast", "asof": 2019}
    frame, _ = rows(opened, "workforce-by-country", **asked)
    assert frame["year"].max() == 2019
    assert frame["entity_id"].is_unique
    assert set(frame["publisher"]) == {"Lightcast"}
    germany = frame.set_index("entity_id").loc["DEU"]
    assert (germany["value"], germany["year"]) == (1.68, 2019)
    figure = drawn(opened, "workforce-by-country", **asked)
    choropleth = next(trace for trace in figure.data if trace.type == "choropleth")
    assert dict(zip(choropleth.locations, choropleth.z, strict=True))["DEU"] == 1.68
    assert all(len(data) == 3 for data in choropleth.customdata)


def test_every_measure_holds_one_unit_and_one_publisher(opened: Warehouse) -> None:
    mixed = opened.query(
        "SELECT measure FROM workforce_by_country GROUP BY measure "
        "HAVING count(DISTINCT publisher) > 1 OR count(DISTINCT unit_id) > 1 OR "
        "count(DISTINCT coalesce(series, '') || coalesce(population, '') || coalesce(segment, '')) > 1"
    )
    assert mixed.empty


def test_a_measure_is_told_to_the_browser_as_it_is(opened: Warehouse) -> None:
    told = opened.query(
        "SELECT count(DISTINCT measure) AS m, count(DISTINCT measure_label) AS l FROM workforce_by_country"
    )
    assert told["m"].iloc[0] == told["l"].iloc[0]


@pytest.mark.parametrize(("counter", "publisher", "highest"), [
    ("lightcast", "Lightcast", 5.47), ("indeed", "Indeed Hiring Lab", 15.0028),
    ("genai", "Indeed Hiring Lab", 0.7762),
])  # fmt: skip
def test_counters_of_postings_are_kept_apart(
    opened: Warehouse, counter: str, publisher: str, highest: float
) -> None:
    frame, _ = rows(opened, "ai-job-postings", counter=counter)
    assert frame["series"].nunique() == 1
    assert frame["metric_id"].nunique() == 1
    assert frame["value"].max() == highest
    assert f"by the count of {publisher}." in said(opened, "ai-job-postings", counter=counter)
    # What the AI Index prints of the same counter is another edition: marks, never part of a line.
    figure = drawn(opened, "ai-job-postings", counter=counter)
    own = set(frame.loc[frame["publisher"] == publisher, "claim_id"])
    for trace in figure.data:
        if trace.mode == "lines+markers":
            assert {data[0] for data in trace.customdata} <= own


def test_places_that_the_reader_points_out_keep_their_colour(opened: Warehouse) -> None:
    figure = drawn(opened, "ai-job-postings", counter="indeed", places=["USA", "FRA"])
    assert [text.replace("<br>", " ") for text in written(figure)] == ["United States 5.24%", "France 3.76%"]
    assert "No figure for 1 place of your choice." in said(opened, "ai-job-postings", places=["USA", "IND"])


def test_women_and_men_are_paired_within_a_country(opened: Warehouse) -> None:
    frame, _ = rows(opened, "talent-concentration")
    both = pairs(frame).set_index("entity_id")
    assert len(both) == 30
    assert (both.loc["ISR", "women"], both.loc["ISR", "men"]) == (0.75, 1.73)
    assert set(frame["population"]) == {"women", "men"}
    assert said(opened, "talent-concentration").startswith(
        "In all 30 countries AI talent is more common among men"
    )


def test_migration_and_hiring_say_that_only_leaders_were_printed(opened: Warehouse) -> None:
    assert said(opened, "talent-migration") == (
        "Net migration of AI talent, 2024: +8.9 in Luxembourg (Stanford AI Index), ahead of Cyprus with "
        "+4.7; only three places were printed for 2024."
    )
    assert "the source prints no unit" in said(opened, "talent-migration", flow="net_inflow_ai_researchers")
    assert said(opened, "hiring").startswith("Growth of the AI hiring rate, 2024: +33.4% in India")


# --- adoption ------------------------------------------------------------------------------------------


def test_the_changed_question_breaks_the_line_of_us_firms(opened: Warehouse) -> None:
    frame, _ = rows(opened, "adoption-over-time")
    found = breaks(frame.assign(at=frame["period"].map(moment)))
    assert [(before.entity_id, before.value, after.value) for before, after in found] == [("USA", 10.0, 17.0)]
    figure = drawn(opened, "adoption-over-time")
    assert "<b>//</b> break" in written(figure)
    sides = [{before.claim_id, after.claim_id} for before, after in found]
    for trace in figure.data:
        if trace.customdata is not None and "lines" in trace.mode:
            claims = {data[0] for data in trace.customdata}
            assert not any(side <= claims for side in sides)
    assert "the question changed, so 10% and 17% must not be joined" in said(opened, "adoption-over-time")


@pytest.mark.parametrize("who", ["firms", "organisations", "people", "workers"])
def test_a_line_joins_one_survey_place_population_and_question(opened: Warehouse, who: str) -> None:
    frame, _ = rows(opened, "adoption-over-time", who=who, parts=True)
    known = frame.set_index("claim_id")
    grain = ["publisher", "metric_id", "entity_id", "segment", "population", "series"]
    for trace in drawn(opened, "adoption-over-time", who=who, parts=True).data:
        if trace.customdata is not None:
            joined = known.loc[[data[0] for data in trace.customdata], grain]
            assert len(joined.drop_duplicates()) == 1
            assert list(trace.x) == sorted(trace.x)


def test_parts_of_a_population_come_only_when_asked_for(opened: Warehouse) -> None:
    whole, _ = rows(opened, "adoption-over-time")
    parts, _ = rows(opened, "adoption-over-time", parts=True)
    assert not whole["is_part"].any()
    assert "large enterprises" in set(parts["population"]) - set(whole["population"])
    assert len(parts) > len(whole)


def test_use_stands_beside_trust_and_both_readings_are_shown(opened: Warehouse) -> None:
    text = said(opened, "developer-ai-use")
    assert "90% say “using at work”, 24% “trust a lot or a great deal”" in text
    assert "29 or 33% trusting, depending on who reads the survey." in text
    assert any("29–33%" in label for label in written(drawn(opened, "developer-ai-use")))


def test_the_slowdown_that_metr_measured_stands_among_the_trials(opened: Warehouse) -> None:
    frame, _ = rows(opened, "productivity-studies")
    metr = frame.set_index("study_id").loc["metr-2025"]
    assert (metr["gain_pct"], metr["gain_low_pct"], metr["gain_high_pct"]) == (-19, -39, -2)
    assert (metr["design"], metr["kind"], metr["n"]) == ("rct", "measured", 16)
    assert said(opened, "productivity-studies").endswith(
        "METR timed 16 experienced developers: 19% slower with AI, though they had expected to be 24% "
        "faster and "
        "felt 20% faster afterwards."
    )


def test_what_was_believed_is_hollow_and_leads_to_what_was_measured(opened: Warehouse) -> None:
    frame, _ = rows(opened, "productivity-studies")
    figure = drawn(opened, "productivity-studies")
    kinds = frame.set_index("claim_id")["kind"]
    for trace in figure.data:
        if trace.customdata is not None:
            claim = trace.customdata[0][0]
            assert trace.marker.symbol.endswith("-open") == (kinds[claim] != "measured")
    gaps = sorted(tuple(trace.x) for trace in figure.data if trace.name == "gap")
    assert gaps == [(-19, 20), (-19, 24), (-19, 38), (-19, 39)]
    headings = [text for text in written(figure) if text.startswith("<b>")]
    assert headings[0] == "<b>Randomised trials: measured</b>"
    assert headings[-1] == "<b>Asked, not measured: expected and perceived</b>"
    assert sum("n\u00a0=\u00a016" in text for text in written(figure)) == 3


def test_every_interval_is_drawn_as_it_was_printed(opened: Warehouse) -> None:
    frame, _ = rows(opened, "productivity-studies", interval=True)
    figure = drawn(opened, "productivity-studies", interval=True)
    lines = sorted(tuple(trace.x) for trace in figure.data if trace.name == "95% interval")
    assert lines == sorted(zip(frame["gain_low_pct"], frame["gain_high_pct"], strict=True))
    assert len(lines) == 5


# --- what must hold for any figure ---------------------------------------------------------------------


def survey(series: list[str | None], periods: list[str]) -> pd.DataFrame:
    """Figures of one survey by hand, one row a figure."""
    frame = pd.DataFrame({"series": series, "period": periods, "survey": "s", "published": None})
    frame["line"] = frame["series"].fillna("")
    frame["claim_id"] = [f"X{i}" for i in range(len(frame))]
    return frame.assign(at=frame["period"].map(moment))


def test_two_waves_with_one_question_are_no_break() -> None:
    assert breaks(survey([None, "early wave", "second wave"], ["2023", "2024", "2024"])) == []
    assert len(breaks(survey(["question A", "question B"], ["2024", "2025"]))) == 1
    assert breaks(survey(["question A", "question A", "question B"], ["2023", "2026", "2024"])) == []


def test_a_year_stands_aside_where_its_months_are_known() -> None:
    assert list(editions(survey([None] * 3, ["2025", "2025-06", "2025-12"]))["period"]) == [
        "2025-06",
        "2025-12",
    ]
    assert list(editions(survey([None] * 2, ["2024", "2025-06"]))["period"]) == ["2024", "2025-06"]


months = st.builds("{:04}-{:02}".format, st.integers(2000, 2050), st.integers(1, 12))
periods = st.one_of(
    months,
    st.builds("{}-Q{}".format, st.integers(2000, 2050), st.integers(1, 4)),
    st.builds("{}-H{}".format, st.integers(2000, 2050), st.integers(1, 2)),
    st.integers(2000, 2050).map(str),
)


@given(periods)
def test_a_period_stands_within_its_year(period: str) -> None:
    assert int(period[:4]) < moment(period) < int(period[:4]) + 1
    assert period[:4] in spoken(period)


@given(st.lists(months, min_size=2))
def test_months_stand_in_their_order(found: list[str]) -> None:
    assert sorted(found) == sorted(found, key=moment)


@given(
    st.lists(st.lists(st.integers(18, 60), min_size=1, max_size=6), min_size=1, max_size=6),
    st.integers(200, 1500),
)
def test_rows_of_a_stack_never_change_their_order(heights: list[list[int]], pixels: int) -> None:
    blocks = [Block(["heading"], ["note"], list(range(len(rows))), rows) for rows in heights]
    needed = sum(block.head + 14 for block in blocks)
    middles = list(stack(go.Figure(), blocks, pixels + needed).values())
    assert middles == sorted(middles)
    assert middles[-1] <= pixels + needed


@given(st.floats(-2, 3))
def test_a_shade_is_always_on_the_ramp(part: float) -> None:
    assert shade(part) in theme.MAP_RAMP


def test_numbers_and_names_read_well() -> None:
    assert [people(v) for v in (36_000, 1_200_000, 24_300_000, 1_654_440, 0.4)] == [
        "36,000", "1.2 M", "24.3 M", "1,654,440", "0.4",
    ]  # fmt: skip
    assert [short(v) for v in (19.95, 5.2448, 0.0013, 15.0028, 3088.6)] == [
        "19.95",
        "5.24",
        "0.0013",
        "15",
        "3,089",
    ]
    assert [signed(v) for v in (26.08, -19, 0)] == ["+26.08%", "−19%", "0%"]
    assert [spoken(p) for p in ("2023-09", "2025-04-08", "2024-Q2", "2015/2022")] == [
        "September 2023", "8 April 2025", "the second quarter of 2024", "2015 to 2022",
    ]  # fmt: skip
    assert [the(name) for name in ("France", "United States", "World")] == [
        "France",
        "the United States",
        "the world",
    ]


# --- the pages -----------------------------------------------------------------------------------------


def test_the_workforce_page_shows_its_six_charts(run_page: Callable[..., AppTest]) -> None:
    page = run_page("workforce.py")
    assert not page.exception
    assert len(figures(page)) == 6
    assert "Between 22,000 and 944,000 worldwide" in texts(page)


def test_the_adoption_page_shows_its_four_charts(run_page: Callable[..., AppTest]) -> None:
    page = run_page("adoption.py")
    assert not page.exception
    assert len(figures(page)) == 4
    assert "17 of 19 results are gains" in texts(page)
    assert "METR timed 16 experienced developers: 19% slower with AI" in texts(page)
