"""Frameworks: popularity by one signal, where the signals agree, who gains, who leads its kind, PyTorch and TensorFlow."""

import streamlit as st

from dashboard.charts.frameworks import DOWNLOADS, SignalFilters, amount, when
from dashboard.charts.marks import capitalised
from dashboard.components import chart_card, filter_bar, page_head
from dashboard.warehouse import ask

STARS = "github-stars-github-ranking"
MOST_KINDS, MOST_OF_A_KIND = 9, 6

newest = ask(
    """
    SELECT signal_id, entity_id, framework, period, value, unit_id FROM framework_count
    WHERE signal_id IN ($downloads, $stars) AND entity_id IN ('pytorch', 'tensorflow')
    QUALIFY period = max(period) OVER (PARTITION BY signal_id)
    ORDER BY value DESC
    """,
    downloads=DOWNLOADS,
    stars=STARS,
)
kinds = ask(
    """
    SELECT category, list(entity_id ORDER BY framework_rank)[:$most] AS members
    FROM (SELECT DISTINCT category, entity_id, framework_rank FROM framework_count)
    GROUP BY category HAVING count(*) >= 4 ORDER BY count(*) DESC, category LIMIT $kinds
    """,
    most=MOST_OF_A_KIND,
    kinds=MOST_KINDS,
).set_index("category")["members"]


def order_of(signal_id: str) -> str:
    """The two best-known frameworks by one signal, the larger first."""
    return ", ".join(
        f"{row.framework} {amount(row.value, row.unit_id)}"
        for row in newest[newest["signal_id"] == signal_id].itertuples()
    )


def newest_period(signal_id: str) -> str:
    """When the signal was counted last."""
    return when(newest.loc[newest["signal_id"] == signal_id, "period"].max())


def compare_a_kind() -> None:
    """Move the visible choice to the best-known frameworks of the category that was clicked."""
    if kind := st.session_state["kinds"]:
        st.session_state["frameworks"] = list(kinds[kind])
        st.session_state["kinds"] = None


page_head(
    "Which framework is ahead, and by which measure?",
    f"It depends on what is counted. Downloads in {newest_period(DOWNLOADS)}: {order_of(DOWNLOADS)}. "
    f"GitHub stars in {newest_period(STARS)}: {order_of(STARS)}. No signal counts users.",
)
shared = filter_bar(SignalFilters, "frameworks")
st.pills(
    "Compare a whole kind",
    list(kinds.index),
    format_func=capitalised,
    key="kinds",
    on_change=compare_a_kind,
    help="Puts the best-known names of the category under Compare.",
)

chart_card("framework-popularity", shared, ("drawn", "tracked"))
chart_card("framework-signals", shared)
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("framework-momentum", shared)
with pair.cell():
    chart_card("framework-by-category", shared, ("family",))
chart_card("framework-papers", shared, ("papers", "venue"))

st.subheader("Read on", anchor=False)
with st.container(horizontal=True):
    st.page_link(
        "app_pages/tools.py",
        label="Tools: what each is for, and for which skill",
        icon=":material/construction:",
    )
    st.page_link(
        "app_pages/sources.py",
        label="Sources: who counts, and under which terms",
        icon=":material/format_quote:",
    )
