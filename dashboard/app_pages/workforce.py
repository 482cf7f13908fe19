"""Workforce: how many people are said to work in AI, where they are, who asks for them, moves and hires."""

from typing import Any

import streamlit as st

from dashboard.charts.workforce import ByCountryFilters, WorkforceFilters
from dashboard.components import chart_card, filter_bar, page_head, plain
from dashboard.warehouse import ask

world = ask(
    "SELECT publisher, value, year FROM observation_figure "
    "WHERE metric_id IN ('genai_professionals', 'ai_professionals') AND entity_id = 'world' AND NOT is_repeat "
    "ORDER BY year DESC, value DESC"
)
counts = ask(
    "SELECT count(*) AS figures, count(DISTINCT publisher) AS publishers, count(DISTINCT metric_id) AS definitions, "
    "count(DISTINCT entity_id) FILTER (place_kind = 'country') AS countries "
    "FROM observation_figure WHERE topic = 'workforce' AND NOT is_repeat"
).iloc[0]
span = (
    f"Between {world['value'].min():,.0f} and {world['value'].max():,.0f} worldwide, depending on the definition. "
    if len(world) > 1
    else ""
)
page_head(
    "How many people work in AI, and who says so?",
    plain(
        f"{span}{counts.figures:,} figures of {counts.publishers} publishers count people, postings and moves in "
        f"{counts.countries} countries, in {counts.definitions} ways that do not add up."
    ),
)
shared = filter_bar(WorkforceFilters, key="workforce")


@st.fragment
def country_map(values: dict[str, Any]) -> None:
    """The map with its time slider; moving the slider redraws the map alone."""
    field = ByCountryFilters.model_fields["asof"]
    first, last = ask(
        "SELECT min(year) AS first, max(year) AS last FROM workforce_by_country WHERE measure_countries >= 3"
    ).iloc[0]
    year = st.slider(
        "Map: newest figure up to",
        int(first),
        int(last),
        min(int(field.default), int(last)),
        key="asof",
        bind="query-params",
    )
    chart_card("workforce-by-country", values | {"asof": year}, own=("measure", "per"))


chart_card("workforce-total", shared)
country_map(shared)
chart_card("ai-job-postings", shared, own=("counter",))
chart_card("talent-concentration", shared)
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("talent-migration", shared, own=("flow",))
with pair.cell():
    chart_card("hiring", shared, own=("hired",))

st.subheader("Read on", anchor=False)
with st.container(horizontal=True):
    st.page_link(
        "app_pages/market.py",
        label="Market: the money behind the jobs",
        icon=":material/trending_up:",
    )
    st.page_link(
        "app_pages/adoption.py",
        label="Adoption: who uses AI, and what it does to work",
        icon=":material/query_stats:",
    )
