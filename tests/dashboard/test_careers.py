"""Careers: the path through the skills, what postings are said to ask for, pay bands that never mix kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.chart import REGISTRY
from dashboard.charts.careers import BESIDE, KNOWN, LATER, NEXT, path_states
from dashboard.charts.pay import bands_of, dollars, fitting
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


# --- the path -------------------------------------------------------------------------------------

SKILLS = pd.DataFrame(
    [
        ("a1", "A", 1),
        ("a2", "A", 1),
        ("a3", "A", 2),
        ("b1", "B", 2),
        ("b2", "B", 3),
        ("b3", "B", None),
        ("c1", "C", None),
    ],
    columns=["skill_id", "category", "level_order"],
)
KNOWABLE = st.sets(st.sampled_from([*SKILLS["skill_id"], "unheard of"]))


def states(known: set[str]) -> dict[str, str]:
    """Skill -> state."""
    return dict(zip(SKILLS["skill_id"], path_states(SKILLS, known), strict=True))


def test_the_path_leads_from_level_to_level() -> None:
    assert states(set()) == {
        "a1": NEXT,
        "a2": NEXT,
        "a3": LATER,
        "b1": NEXT,
        "b2": LATER,
        "b3": BESIDE,
        "c1": BESIDE,
    }
    assert states({"a1"})["a3"] == LATER, "half a level is not the level"
    assert states({"a1", "a2", "b2"}) == {
        "a1": KNOWN,
        "a2": KNOWN,
        "a3": NEXT,
        "b1": NEXT,
        "b2": KNOWN,
        "b3": BESIDE,
        "c1": BESIDE,
    }


@settings(deadline=None)
@given(known=KNOWABLE, learnt=st.sampled_from(list(SKILLS["skill_id"])))
def test_whoever_learns_comes_no_less_far(known: set[str], learnt: str) -> None:
    order = {LATER: 0, NEXT: 1, KNOWN: 2, BESIDE: 0}
    before, after = states(known), states(known | {learnt})
    assert all(order[after[skill]] >= order[before[skill]] for skill in before)
    assert {skill for skill, state in before.items() if state == KNOWN} == known - {"unheard of"}


@settings(deadline=None)
@given(known=KNOWABLE)
def test_every_category_with_something_to_learn_has_a_next_step(known: set[str]) -> None:
    marked = SKILLS.assign(state=path_states(SKILLS, known))
    for _, group in marked[marked["level_order"].notna()].groupby("category"):
        assert (group["state"] == KNOWN).all() or (group["state"] == NEXT).any()
        lowest = group.loc[group["state"] == NEXT, "level_order"]
        assert group.loc[group["level_order"] < lowest.min(), "state"].eq(KNOWN).all()


# --- postings -------------------------------------------------------------------------------------


def test_what_postings_for_ai_engineers_ask_for(opened: Warehouse) -> None:
    assert said(opened, "skill-frequency") == (
        "Postings for AI Engineer name Python most: 61% to 91.7% of them, depending on which of 9 samples "
        "one asks; then PyTorch, 7.7% to 64.9%."
    )
    india = said(opened, "skill-frequency", hiring="IND")
    assert india == "Postings for AI Engineer in India name Python most: 91.7% of them; then RAG, 58.1%."


def test_a_known_skill_gets_a_tick_and_thin_samples_are_hollow(opened: Warehouse) -> None:
    frame, filters = rows(opened, "skill-frequency", known=["python"])
    figure = REGISTRY["skill-frequency"].draw(frame, filters)
    assert "✓ Python" in figure.layout.yaxis.categoryarray
    small = next(trace for trace in figure.data if trace.name == "machine-learning work under an AI title")
    assert set(small.marker.symbol) == {"circle-open"}, "37 postings"
    assert not any(trace.showlegend is None for trace in figure.data if trace.name == "spread")


def test_roles_are_compared_in_one_sample_only(opened: Warehouse) -> None:
    frame, _ = rows(opened, "skill-by-role")
    assert frame["source_id"].nunique() == 1
    assert said(opened, "skill-by-role") == (
        "Roles differ most over SQL: 69.6% of the postings for Data Engineer name it, 19.8% of those for "
        "ML Engineer."
    )
    assert said(opened, "job-titles") == (
        "34% of the AI postings that Machine Brief counted carry the title AI Engineer, 2% for Prompt "
        "Engineer."
    )


# --- pay ------------------------------------------------------------------------------------------


def test_kinds_of_pay_never_share_a_band_or_a_sentence(opened: Warehouse) -> None:
    frame, _ = rows(opened, "pay-bands", pay_group="ML engineer", older=True)
    assert frame["compensation_kind"].nunique() == 3
    for band in bands_of(frame):
        claims = band.claims.values()
        assert len({(row.compensation_kind, row.source_id, row.experience_level) for row in claims}) == 1
    assert sum(len(band.claims) for band in bands_of(frame)) == len(frame)
    assert said(opened, "pay-bands") == (
        "United States, a year: base pay $131.2k to $400k (8 statements); total pay $200k to $1.1M "
        "(7 statements); pay of a kind not stated $80k to $280k (5 statements). The kinds do not compare."
    )


def test_the_statements_of_the_guide_are_drawn_as_lower_bounds(opened: Warehouse) -> None:
    frame, filters = rows(opened, "pay-bands", tier=["seed"])
    assert sorted(frame["usd_value"]) == [100_000, 200_000]
    figure = REGISTRY["pay-bands"].draw(frame, filters)
    symbols = [symbol for trace in figure.data if trace.mode == "markers" for symbol in trace.marker.symbol]
    assert symbols == ["triangle-right"] * 2
    notes = " ".join(note.text for note in figure.layout.annotations)
    assert "$100k or more, Legaci Studios, the guide (seed)" in notes


def test_where_room_is_short_every_kind_of_pay_keeps_some_bands(opened: Warehouse) -> None:
    frame, _ = rows(opened, "pay-bands", pay_group="AI engineer", older=True)
    bands = bands_of(frame)
    kept = fitting(bands, names_role=True)
    assert len(kept) < len(bands)
    assert {band.kind for band in kept} == {band.kind for band in bands}
    assert kept == sorted(kept, key=lambda band: band.order)


def test_pay_is_rounded_for_labels_only() -> None:
    assert [dollars(value) for value in (92_812, 200_000, 1_050_000, 999_960)] == [
        "$92.8k",
        "$200k",
        "$1.05M",
        "$1M",
    ]


# --- the page -------------------------------------------------------------------------------------


def test_the_page_shows_roles_path_and_charts(run_page: Callable[..., AppTest]) -> None:
    page = run_page("careers.py")
    assert not page.exception
    assert page.title[0].value == "What is there to learn, and who asks for it?"
    assert len(page.get("plotly_chart")) == 2
    assert len(page.checkbox) == 40
    assert "Marked so far: 0 of the 28 skills on the path." in texts(page)


def test_a_ticked_box_moves_the_list_that_the_address_keeps(run_page: Callable[..., AppTest]) -> None:
    page = run_page("careers.py", known="Python")
    assert page.checkbox(key="box-python").value
    assert page.multiselect(key="known").value == ["python"]
    page.checkbox(key="box-api-development").check().run()
    assert not page.exception
    assert page.multiselect(key="known").value == ["python", "api-development"]
    page.multiselect(key="known").set_value(["api-development"]).run()
    assert not page.checkbox(key="box-python").value
    assert page.checkbox(key="box-api-development").value
    assert "Marked so far: 1 of the 28 skills on the path." in texts(page)
