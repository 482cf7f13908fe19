"""Frameworks: popularity by one signal, where signals agree, who gains, who leads, and what papers name."""

import streamlit as st

from dashboard.charts.frameworks import DOWNLOADS, SignalFilters, amount, when
from dashboard.charts.marks import capitalised, records
from dashboard.components import chart_card, filter_bar, page_head, plain, read_on
from dashboard.warehouse import ask

MOST_KINDS, MOST_OF_A_KIND = 8, 6

newest = ask(
    """
    WITH met AS (
        SELECT * FROM framework_count
        WHERE entity_id IN ('pytorch', 'tensorflow')
            AND (signal_id = $downloads OR metric_id = 'github_stars')
        QUALIFY count(*) OVER (PARTITION BY signal_id, period) = 2
    )
    SELECT metric_id, framework, period, value, unit_id FROM met
    -- Of those who count stars the one who did so last.
    QUALIFY 1 = dense_rank() OVER (PARTITION BY metric_id ORDER BY period DESC, signal_id)
    ORDER BY value DESC
    """,
    downloads=DOWNLOADS,
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

biases = ask(
    """
    SELECT label, excludes FROM metric
    WHERE metric_id IN (SELECT metric_id FROM framework_count) AND excludes IS NOT NULL ORDER BY label
    """
)


def order_of(metric_id: str) -> str:
    """The two best-known frameworks by one signal, the larger first."""
    return ", ".join(
        f"{row.framework} {amount(row.value, row.unit_id)}"
        for row in records(newest[newest["metric_id"] == metric_id])
    )


def newest_period(metric_id: str) -> str:
    """When the signal was counted last."""
    return when(newest.loc[newest["metric_id"] == metric_id, "period"].max())


def compare_a_kind() -> None:
    """Move the visible choice to the best-known frameworks of the category that was clicked."""
    if kind := st.session_state["kinds"]:
        st.session_state["frameworks"] = list(kinds[kind])
        st.session_state["kinds"] = None


def compare_clicked(data: list[str]) -> None:
    """Put the framework of the clicked mark under Compare, or take it away again."""
    chosen, clicked = list(st.session_state["frameworks"]), data[2]
    st.session_state["frameworks"] = (
        [name for name in chosen if name != clicked] if clicked in chosen else [*chosen, clicked]
    )


page_head(
    "Which framework is ahead, and by which measure?",
    f"It depends on what is counted. Downloads in {newest_period('monthly_downloads')}: "
    f"{order_of('monthly_downloads')}. GitHub stars in {newest_period('github_stars')}: "
    f"{order_of('github_stars')}. No signal counts users.",
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
with st.expander("What each signal leaves out", icon=":material/info:"):
    st.markdown("\n".join(f"- **{plain(row.label)}**: {plain(row.excludes)}" for row in records(biases)))
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("framework-momentum", shared, on_click=compare_clicked)
with pair.cell():
    chart_card("framework-by-category", shared, ("family",), on_click=compare_clicked)
chart_card("framework-papers", shared, ("papers", "venue"))

read_on(
    tools="Tools: what each is for, and for which skill",
    sources="Sources: who counts, and under which terms",
)
