"""Adoption: who uses AI, what developers make of it, what studies measured."""

import streamlit as st

from dashboard import theme
from dashboard.charts.workforce import WorkforceFilters
from dashboard.components import chart_card, filter_bar, page_head, plain
from dashboard.warehouse import ask

counts = ask(
    "SELECT count(*) AS figures, count(DISTINCT publisher) AS publishers, "
    "count(DISTINCT entity_id) AS places FROM adoption_by_place"
).iloc[0]
studied = ask(
    "SELECT count(DISTINCT study) AS studies, min(gain_pct) FILTER (study_id = 'metr-2025') AS slowdown "
    "FROM study_effect WHERE kind = 'measured'"
).iloc[0]
page_head(
    "Who uses AI, and does it help?",
    plain(
        f"{counts.figures:,} survey figures of {counts.publishers} publishers on {counts.places} places, and "
        f"{studied.studies} studies that measured the effect on work: most found a gain, the best-known trial of "
        f"experienced developers a loss of {theme.exact(abs(studied.slowdown))}%."
    ),
)
shared = filter_bar(WorkforceFilters, key="adoption")

chart_card("adoption-over-time", shared, own=("who", "parts"))
chart_card("productivity-studies", own=("outcome", "design", "interval"))
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("developer-ai-use", own=("survey", "views"))
with pair.cell():
    chart_card("adoption-purposes", own=("purpose",))

st.subheader("Read on", anchor=False)
with st.container(horizontal=True):
    st.page_link(
        "app_pages/workforce.py",
        label="Workforce: how many people work in AI, and where",
        icon=":material/groups:",
    )
    st.page_link(
        "app_pages/sources.py",
        label="Sources: every publication behind the figures",
        icon=":material/format_quote:",
    )
