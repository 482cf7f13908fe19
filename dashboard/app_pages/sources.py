"""Sources: every publication, what it contributed, how it was read, its terms; the claims of each."""

import streamlit as st

from dashboard import theme
from dashboard.charts.marks import capitalised, spoken
from dashboard.components import (
    address_columns,
    ages_now,
    count_columns,
    filter_bar,
    page_head,
    plain,
    read_on,
)
from dashboard.pages import SourceFilters
from dashboard.warehouse import ask

HEADINGS = {
    "publisher": "Publisher",
    "title": "Title",
    "published": "Published",
    "claims": "Claims",
    "repeats": "Repeats",
    "attribution": "How it was read",
    "age": "Age",
    "rhythm": "Rhythm",
    "topics": "Topics",
    "url": "Address",
    "licence": "Licence or terms",
}
CLAIM_HEADINGS = ("What", "Place", "When", "Value", "Unit", "How it was read", "Repeat", "Note")

sources = ask(
    "SELECT * FROM source_card LEFT JOIN (SELECT DISTINCT ON (source_id) * EXCLUDE (metric_id) "
    "FROM source_rhythm ORDER BY source_id, rhythm_days) USING (source_id) "
    "ORDER BY claims DESC, publisher, published DESC, source_id"
)
known = ages_now(sources)
primary = int(sources["attribution"].str.contains("primary").sum())
behind_claims = int((sources["claims"] > 0).sum())
page_head(
    "Who says all this?",
    f"{behind_claims:,} publications stand behind {sources['claims'].sum():,} claims; {primary:,} of them "
    f"were read at the publisher, the others where someone relayed them. {len(sources) - behind_claims:,} "
    "more are on record without such a claim, most of them behind tools, companies and records of pay.",
)
asked = filter_bar(SourceFilters, "sources", ("find", "topic", "read"))

shown = sources
if asked["find"]:
    words = sources[["publisher", "title", "carrier"]].fillna("").agg(" ".join, axis=1).str.lower()
    shown = shown[words.str.contains(asked["find"].lower(), regex=False)]
if asked["topic"]:
    shown = shown[shown["topics"].str.split(", ").map(lambda topics: asked["topic"] in topics)]
if asked["read"]:
    shown = shown[shown["attribution"].str.split(", ").map(lambda ways: asked["read"] in ways)]


def in_words(ways: str) -> str:
    """How a source was read, for people."""
    return capitalised("; ".join(theme.ATTRIBUTIONS[way] for way in ways.split(", ") if way))


def rhythm_of(source_id: str) -> str | None:
    """How often a source is published, where it is read again and again."""
    return capitalised(known[source_id].rhythm) if source_id in known else None


def age_of(source_id: str) -> str | None:
    """How old its figures are, and whether they should have come anew by now."""
    if (age := known.get(source_id)) is None:
        return None
    return f"Overdue: {age.told}" if age.is_late else capitalised(age.told)


def take_clicked_row() -> None:
    """Move the visible choice to the row that was clicked."""
    if rows := st.session_state["source-table"].selection.rows:
        st.session_state["source"] = shown.iloc[rows[0]]["source_id"]


if shown.empty:
    st.info("No source matches. Shorten the search, or reset the filters.", icon=":material/search_off:")
else:
    st.caption(f"{len(shown):,} sources. A click on a row shows its claims, a click on a heading sorts.")
    table = shown.assign(
        attribution=shown["attribution"].map(in_words),
        topics=shown["topics"].map(capitalised),
        rhythm=shown["source_id"].map(rhythm_of),
        age=shown["source_id"].map(age_of),
    )
    st.dataframe(
        table[list(HEADINGS)].rename(columns=HEADINGS),
        hide_index=True,
        height=min(38 + 35 * len(table), 420),
        placeholder="",
        on_select=take_clicked_row,
        selection_mode="single-row",
        key="source-table",
        column_config={
            **address_columns(),
            **count_columns("Claims", "Repeats"),
            "Title": st.column_config.Column(width=240),
        },
        alt="All sources with what they contributed",
    )

source_id = filter_bar(SourceFilters, "source", ("source",))["source"]
if source_id:
    chosen = sources.set_index("source_id").loc[source_id]
    when = f", {spoken(chosen['published'])}" if isinstance(chosen["published"], str) else ", undated"
    st.markdown(
        f"**{plain(chosen['publisher'])}**{when}: read at [{plain(chosen['carrier'])}]({chosen['url']}). "
        f"{plain(chosen['licence'])}." + (f" {age_of(source_id)}." if source_id in known else "")
    )
    claims = ask(
        "SELECT subject, place, period, value, unit_label, attribution, is_repeat, note FROM claim "
        "WHERE source_id = $source_id ORDER BY ALL",
        source_id=source_id,
    )
    claims = claims.assign(
        attribution=claims["attribution"].map(in_words),
        is_repeat=claims["is_repeat"].map({True: "yes", False: ""}),
    )
    st.dataframe(
        claims.set_axis(CLAIM_HEADINGS, axis=1),
        hide_index=True,
        placeholder="",
        alt="The claims of the chosen source",
    )

read_on(data="Data: every table, its checks, and a console for your own questions")
