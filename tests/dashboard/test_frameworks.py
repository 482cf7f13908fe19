"""Frameworks and tools: what the pages say of the shipped data, and what may be joined, ranked and found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.catalogue import ToolFilters, matching
from dashboard.chart import REGISTRY
from dashboard.charts.framework_ranks import growth
from dashboard.charts.frameworks import amount, colours, indexed, pieces, usual_step, when
from etl.warehouse import Home, open_read_only

NBSP = "\N{NO-BREAK SPACE}"


def rows(home: Home, chart_id: str, **asked: Any) -> tuple[pd.DataFrame, Any]:
    """The rows of a chart and its filters."""
    chart = REGISTRY[chart_id]
    filters = chart.filters(**asked)
    with open_read_only(home.best()[0].path) as connection:
        return connection.execute(*chart.query(filters)).df(), filters


def said(home: Home, chart_id: str, **asked: Any) -> str:
    """The takeaway of a chart."""
    frame, filters = rows(home, chart_id, **asked)
    return REGISTRY[chart_id].summary(frame, filters).replace(NBSP, " ")


def series(periods: list[str], **columns: Any) -> pd.DataFrame:
    """A line by hand: one framework, one figure a period."""
    frame = pd.DataFrame({"period": periods, "entity_id": "a", "population": "p", "series": "package: a"})
    frame["position"] = [int(period[:4]) + (int(period[5:] or 1) - 1) / 12 for period in periods]
    return frame.assign(**{"value": range(1, len(periods) + 1), **columns})


# --- takeaways and figures on the shipped data --------------------------------------------------------------


def test_who_leads_depends_on_the_signal(built_home: Home) -> None:
    both = ["pytorch", "tensorflow"]
    downloads = said(built_home, "framework-popularity", frameworks=both)
    stars = said(built_home, "framework-popularity", frameworks=both, signal="github-stars-github-ranking")
    assert downloads.startswith(
        "Package downloads in a month, March 2026: PyTorch 87.3 M, TensorFlow 22.7 M."
    )
    assert stars.startswith("GitHub stars, August 2026: TensorFlow 197 k, PyTorch 102 k.")
    assert "It does not measure use: a star is a bookmark" in stars
    assert "Who leads depends on the signal" in said(built_home, "framework-signals", frameworks=both)


def test_the_order_of_two_frameworks_in_every_count(built_home: Home) -> None:
    frame, _ = rows(built_home, "framework-signals", frameworks=["pytorch", "tensorflow"])
    first = frame[frame["place_among"] == 1].set_index("signal_id")["framework"]
    assert first["monthly-downloads-top-pypi-packages"] == "PyTorch"
    assert first["github-stars-github-ranking"] == "TensorFlow"
    assert first.filter(like="survey-usage-kaggle").to_list() == ["TensorFlow"]
    assert first.filter(like="ai-engineer-postings").to_list() == ["PyTorch"]
    assert (frame.groupby("signal_id")["period"].nunique() == 1).all()
    assert frame["source_id"].notna().all()


def test_the_break_and_the_missing_months_are_drawn(built_home: Home) -> None:
    frame, filters = rows(built_home, "framework-popularity", frameworks=["pytorch"])
    figure = REGISTRY["framework-popularity"].figure(frame, filters)
    lines = [trace for trace in figure.data if trace.name == "PyTorch"]
    assert len(lines) == 5  # ended by July 2024, the change of method, December 2024 and May 2025
    assert sum(len(trace.x) for trace in lines) == len(frame) == 96
    assert [shape.x0 for shape in figure.layout.shapes] == [pytest.approx(2024 + 10 / 12)]
    assert any("all installers" in note.text for note in figure.layout.annotations)


def test_research_moved_to_pytorch(built_home: Home) -> None:
    text = said(built_home, "framework-papers")
    assert text.startswith(
        "At ICLR 2022, 84% of the papers that name one of the two name PyTorch, against 22.8% in 2018"
    )
    assert "TensorFlow was last ahead at NeurIPS 2018" in text
    assert "May 2023" in said(built_home, "framework-papers", papers="of-all")


def test_momentum_compares_like_with_like(built_home: Home) -> None:
    frame, _ = rows(built_home, "framework-momentum")
    assert set(frame["period"]) == {"2026-03"}
    assert set(frame["earlier_period"]) == {"2025-03"}
    computed = 100 * (frame["value"] / frame["earlier_value"] - 1)
    assert (computed - frame["change_pct"]).abs().max() < 1e-6
    assert frame["entity_id"].is_unique


def test_a_category_has_its_bars(built_home: Home) -> None:
    frame, filters = rows(built_home, "framework-by-category", family="vector database")
    figure = REGISTRY["framework-by-category"].figure(frame, filters)
    assert list(figure.data[0].x) == sorted(frame["value"], reverse=True)
    assert set(frame["category"]) == {"vector database"}


def test_one_figure_a_framework_count_and_period(built_home: Home) -> None:
    with open_read_only(built_home.best()[0].path) as connection:
        doubled = connection.execute(
            "SELECT signal_id, entity_id, period FROM framework_count GROUP BY ALL HAVING count(*) > 1"
        ).fetchall()
        compared = connection.execute(
            "SELECT min(most) FROM (SELECT max(counted) AS most FROM framework_count GROUP BY signal_id)"
        ).fetchone()
        words = connection.execute(
            "SELECT count(DISTINCT signal_id), count(DISTINCT signal), count(DISTINCT (signal_id, signal)) "
            "FROM framework_count"
        ).fetchone()
        blanks = connection.execute(
            "SELECT count(*) FROM framework_count WHERE metric_id = 'survey_usage' AND value >= 100"
        ).fetchone()
    assert doubled == []
    assert words is not None
    assert len(set(words)) == 1
    assert blanks == (0,)
    assert compared == (2,)


# --- what may be joined, and how lines are told apart -------------------------------------------------------


def test_a_gap_a_new_method_and_a_new_package_end_a_line() -> None:
    months = ["2024-01", "2024-02", "2024-04", "2024-05", "2024-06"]
    line = series(months, population=["p", "p", "p", "q", "q"], series=["package: a"] * 4 + ["package: b"])
    parts = [list(piece["period"]) for piece in pieces(line, 1 / 12)]
    assert parts == [months[:2], months[2:3], months[3:4], months[4:]]


def test_a_renamed_repository_stays_one_line() -> None:
    line = series(["2024-01", "2024-02"], series=["repository: old/a", "repository: new/a"])
    assert len(list(pieces(line, usual_step(line)))) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 11), st.floats(0.01, 1e9)),
        min_size=1,
        unique_by=lambda row: row[:2],
    )
)
def test_an_index_starts_everybody_at_100(counts: list[tuple[str, int, float]]) -> None:
    frame = pd.DataFrame(counts, columns=["entity_id", "month", "value"])
    frame = frame.assign(population="p", period=[f"2024-{month + 1:02}" for month in frame["month"]])
    result = indexed(frame)
    base = result["period"].min()
    starts = result[result["period"] == base]
    assert set(starts["entity_id"]) == set(result["entity_id"])
    assert starts["drawn_value"].round(6).eq(100).all()
    for entity, line in result.groupby("entity_id"):
        own = frame[(frame["entity_id"] == entity) & (frame["period"] == base)]["value"].iloc[0]
        assert line["drawn_value"].to_list() == pytest.approx((100 * line["value"] / own).to_list())


@given(st.lists(st.integers(1, 200), min_size=1, max_size=20, unique=True))
def test_named_lines_never_share_a_colour(ranks: list[int]) -> None:
    names = [f"f{rank}" for rank in ranks]
    frame = pd.DataFrame({"entity_id": names, "framework_rank": ranks, "period": "2024", "value": ranks})
    chosen = colours(frame, names)
    assert list(chosen) == sorted(names[:8], key=lambda name: int(name[1:]))
    assert len(set(chosen.values())) == len(chosen)
    assert 1 <= len(colours(frame, [])) <= 6


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (87_347_847, "downloads", "87.3 M"),
        (102_095, "stars", "102 k"),
        (999, "forks", "999"),
        (31.96, "percent", "31.96%"),
        (0, "percent", "0%"),
        (1.5e9, "downloads", "1.5 bn"),
    ],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert amount(value, unit).replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("change", "text"),
    [(-100, "to 0"), (-24.4, "−24%"), (0, "±0%"), (0.04, "±0%"), (3, "+3%"), (137, "×2.4"), (900, "×10")],
)
def test_changes(change: float, text: str) -> None:
    assert growth(change) == text


def test_periods_in_words() -> None:
    assert (when("2026-03"), when("2022")) == ("March 2026", "2022")


# --- the catalogue ------------------------------------------------------------------------------------------


def catalogue(home: Home, **asked: Any) -> list[str]:
    """The names that the catalogue shows."""
    with open_read_only(home.best()[0].path) as connection:
        tools = connection.execute("SELECT * FROM tool_card ORDER BY lower(name)").df()
    return list(matching(tools, ToolFilters(**asked).model_dump())["name"])


def test_the_catalogue_is_searched_and_narrowed(built_home: Home) -> None:
    assert len(catalogue(built_home)) == 166
    assert catalogue(built_home, tools="GRAPHS pytorch") == ["PyTorch"]
    assert catalogue(built_home, tools="no such tool") == []
    assert "Pinecone" in catalogue(built_home, skill="retrieval-augmented-generation")
    vector = catalogue(built_home, tool_category=["vector database"], openness=["commercial"])
    assert "Pinecone" in vector
    assert "Milvus" not in vector
    assert "Keras" in catalogue(built_home, released=(2015, 2015))
    assert catalogue(built_home, terms=["not stated"])


def test_a_skill_leads_to_its_tools_and_back(built_home: Home) -> None:
    with open_read_only(built_home.best()[0].path) as connection:
        lost = connection.execute(
            "SELECT skill_id, tool_id FROM skill_tool ANTI JOIN "
            "(SELECT unnest(skills) AS skill_id, tool_id FROM tool_card) USING (skill_id, tool_id)"
        ).fetchall()
    assert lost == []


# --- the pages ----------------------------------------------------------------------------------------------


def test_the_page_of_frameworks_renders(run_page: Callable[..., AppTest]) -> None:
    page = run_page("frameworks.py")
    assert not page.exception
    assert page.title[0].value.startswith("Which framework is ahead")
    assert "PyTorch 87.3" in page.markdown[0].value
    assert len(page.get("plotly_chart")) == 5
    page.pills(key="kinds").set_value("vector database").run()
    assert not page.exception
    assert "milvus" in page.multiselect(key="frameworks").value


def test_the_page_of_tools_renders_and_opens_a_card(run_page: Callable[..., AppTest]) -> None:
    page = run_page("tools.py")
    assert not page.exception
    assert page.markdown[0].value.startswith("166 tools in 22 categories")
    page.selectbox(key="tool").set_value("pytorch").run()
    assert page.subheader[0].value == "PyTorch"
    page.button(key="skill-neural-networks").click().run()
    assert not page.exception
    assert page.selectbox(key="skill").value == "neural-networks"
    assert "TensorFlow" in list(page.dataframe[0].value["Name"])
