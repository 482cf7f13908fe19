"""Workforce: how many people are said to work in AI, where they are, who asks for them, moves and hires."""

import streamlit as st

from dashboard.charts.workforce import WorkforceFilters
from dashboard.components import chart_card, filter_bar, page_head, plain, read_on
from dashboard.warehouse import ask

world = ask(
    "SELECT publisher, value, year FROM observation_figure "
    "WHERE metric_id IN ('genai_professionals', 'ai_professionals') AND entity_id = 'world' AND NOT "
    "is_repeat "
    "ORDER BY year DESC, value DESC"
)
counts = ask(
    "SELECT count(*) AS figures, count(DISTINCT publisher) AS publishers, count(DISTINCT metric_id) AS "
    "definitions, "
    "count(DISTINCT entity_id) FILTER (place_kind = 'country') AS countries "
    "FROM observation_figure WHERE topic = 'workforce' AND NOT is_repeat"
).iloc[0]
span = (
    f"Between {world['value'].min():,.0f} and {world['value'].max():,.0f} worldwide, by definition. "
    if len(world) > 1
    else ""
)
page_head(
    "How many people work in AI, and who says so?",
    plain(
        f"{span}{counts.figures:,} figures of {counts.publishers} publishers count people, postings and "
        f"moves in {counts.countries} countries, in {counts.definitions} ways that do not add up."
    ),
)
shared = filter_bar(WorkforceFilters, key="workforce")


def point_out(mark: list[str]) -> None:
    """A click on a country adds it to the places that the page points out, a second one takes it away."""
    chosen = list(st.session_state.get("places", []))
    if len(mark) < 3:
        return
    place = mark[2]
    st.session_state["places"] = [p for p in chosen if p != place] if place in chosen else [*chosen, place]


chart_card("workforce-total", shared)
chart_card("workforce-by-country", shared, own=("measure", "per", "asof"), on_click=point_out)
chart_card("ai-job-postings", shared, own=("counter",))
chart_card("talent-concentration", shared)
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("talent-migration", shared, own=("flow",))
with pair.cell():
    chart_card("hiring", shared, own=("hired",))

read_on(
    market="Market: the money behind the jobs",
    adoption="Adoption: who uses AI, and what it does to work",
)
