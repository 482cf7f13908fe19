"""Adoption: who uses AI, what developers make of it, what studies measured."""

import streamlit as st

from dashboard.charts.workforce import WorkforceFilters
from dashboard.components import chart_card, filter_bar, more, page_head, plain, read_on
from dashboard.warehouse import ask

counts = ask(
    "SELECT count(*) AS figures, count(DISTINCT publisher) AS publishers FROM adoption_by_place"
).iloc[0]
studied = ask(
    "SELECT count(*) AS results, count(*) FILTER (gain_pct > 0) AS gains, count(DISTINCT study) AS studies, "
    "min(gain_pct) FILTER (study_id = 'metr-2025') AS metr FROM study_effect WHERE kind = 'measured'"
).iloc[0]
page_head(
    "Who uses AI, and does it help?",
    plain(
        f"{counts.figures:,} survey figures of {counts.publishers} publishers say how many. "
        f"{studied.studies:.0f} studies measured what it does to work: {studied.gains:.0f} of "
        f"{studied.results:.0f} results are gains; METR’s trial of experienced "
        f"developers found a loss of {abs(studied.metr):g}%."
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
if more("Show more: research by year and country"):
    chart_card("research-works", shared, own=("works",))

read_on(
    workforce="Workforce: how many people work in AI, and where",
    sources="Sources: every publication behind the figures",
)
