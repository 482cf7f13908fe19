"""Overview: the headline figures and how others differ, three charts, ways into the pages."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import theme
from dashboard.charts.marks import counted, records, spoken
from dashboard.components import chart_card, chart_pair, page_head, plain
from dashboard.live_panel import refreshed_line
from dashboard.pages import PAGES
from dashboard.warehouse import ask

MOST_RIVALS = 12


def headline_text(value: float, unit_id: str) -> str:
    """A headline figure as a reader expects it."""
    if unit_id == "usd_bn":
        return theme.usd_bn(value)
    return theme.exact(value) + ("%" if unit_id == "percent" else "")


def difference(own: Any, rivals: pd.DataFrame) -> str:
    """How the figures of others stand to a headline figure, in a few words."""
    if rivals.empty:
        return "No other source gives a comparable figure"
    low, high = (
        headline_text(value, own.unit_id) for value in (rivals["value"].min(), rivals["value"].max())
    )
    said = low if low == high else f"{low} to {high}"
    if rivals["why"].notna().any():
        return f"Nearest other counts, defined otherwise: {said}"
    return f"{counted(len(rivals), 'other claim')}: {said}"


def headline_card(own: Any, rivals: pd.DataFrame) -> None:
    """One headline: the figure, who says it, what others say, both with their sources."""
    is_percent = own.unit_id == "percent"
    printed = f"{own.printed}%" if is_percent else headline_text(own.value, own.unit_id)
    with st.container(gap="xsmall"):
        st.markdown(plain(own.label))
        st.metric(own.question, printed, label_visibility="collapsed")
        st.caption(f"{plain(own.publisher)}  \n{plain(difference(own, rivals))}")
        with st.popover(
            "Sources" if len(rivals) else "Source", type="tertiary", icon=":material/format_quote:"
        ):
            headline_sources(own, rivals)


def headline_sources(own: Any, rivals: pd.DataFrame) -> None:
    """Whose figure the headline is, and what others say, each with its address."""
    when = f"published {spoken(own.published)}" if pd.notna(own.published) else "undated"
    st.markdown(
        f"**{plain(own.publisher)}** ({when}), read at [{plain(own.carrier)}]({own.url}): "
        f"{theme.ATTRIBUTIONS[own.attribution]}."
    )
    if pd.notna(own.note):
        st.caption(plain(own.note))
    listed = rivals.merge(ask("SELECT source_id, carrier, url FROM source_card"), on="source_id")
    lines = []
    for row in records(listed.sort_values("value", ascending=False).head(MOST_RIVALS)):
        why = f" {plain(row.why)}" if pd.notna(row.why) else ""
        when = f", {spoken(row.period)}" if pd.notna(row.period) else ""
        lines.append(
            f"- {plain(headline_text(row.value, row.unit_id))}{when}: **{plain(row.publisher)}**, "
            f"[{plain(row.carrier)}]({row.url}).{why}"
        )
    if len(listed) > MOST_RIVALS:
        lines.append(f"- … and {len(listed) - MOST_RIVALS} more on the Market page.")
    st.markdown("\n".join(lines))


headlines = ask("SELECT * FROM headline_figure ORDER BY position")
others = ask("SELECT * FROM headline_other")
first = headlines.iloc[0]
spread = others.loc[others["headline_id"] == first["headline_id"], "value"]
page_head(
    "How big is generative AI, and who says so?",
    f"The best-known forecast says {theme.usd_bn(first['value'])} by {first['period']}; other publishers "
    f"put the same year between {theme.usd_bn(spread.min())} and {theme.usd_bn(spread.max())}. Every figure "
    "here leads to its source.",
)
refreshed_line()
grid = st.grid(3, min_column_width=150, border=True)
for headline in records(headlines):
    with grid.cell():
        headline_card(headline, others[others["headline_id"] == headline.headline_id])

chart_card("market-forecasts")
chart_pair("market-arithmetic", "investment-by-year")

st.subheader("Read on", anchor=False)
ways = st.grid(3, min_column_width=250)
for page in PAGES[1:]:
    with ways.cell(), st.container(gap=None):
        st.page_link(f"app_pages/{page.script}", label=f"**{page.title}**", icon=page.icon)
        st.caption(page.about)
