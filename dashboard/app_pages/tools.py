"""Tools: the catalogue with search and filters, the card of one tool, from a skill to its tools and back."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.catalogue import NARROWING, NOT_STATED, ToolFilters, matching
from dashboard.charts.frameworks import amount, when
from dashboard.charts.marks import capitalised, counted, listed, records
from dashboard.components import address_columns, filter_bar, page_head, plain, read_on
from dashboard.warehouse import ask

HEADINGS = {
    "name": "Name",
    "purpose": "What it is for",
    "category": "Category",
    "downloads": "Downloads",
    "stars": "Stars",
    "openness": "Openness",
    "licence": "Licence",
    "first_release_year": "Since",
    "skills_told": "Skills",
    "vendor": "Made by",
    "homepage": "Address",
}
SIGNAL_HEADINGS = {
    "signal": "Signal and who counts it",
    "period": "Period",
    "value": "Figure",
    "rank": "Rank among the names counted",
    "url": "Address",
}

tools = ask("SELECT * FROM tool_card ORDER BY signals DESC, coalesce(downloads, 0) DESC, lower(name)")
latest = ask("SELECT max(downloads_period) AS downloads, max(stars_period) AS stars FROM tool_card").iloc[0]


def take_clicked_row() -> None:
    """Move the visible choice to the tool whose row was clicked."""
    if rows := st.session_state["tool-table"].selection.rows:
        st.session_state["tool"] = shown.iloc[rows[0]]["tool_id"]


def take_skill(skill_id: str) -> None:
    """Move the visible choice to a skill, so that the catalogue shows all its tools."""
    st.session_state["skill"] = skill_id


def show_skill(skill_id: str) -> None:
    """What the chosen skill is, and how often postings ask for it."""
    skill = ask("SELECT * FROM skill_path WHERE skill_id = $skill_id", skill_id=skill_id).iloc[0]
    level = f", {skill['level'].lower()}" if isinstance(skill["level"], str) else ""
    text = f"**{plain(skill['skill'])}** ({plain(skill['category'])}{level})"
    if isinstance(skill["description"], str):
        text += f": {plain(skill['description'])}"
    if pd.notna(skill["postings"]):
        text += f" Named by up to {amount(skill['postings'], 'percent')} of the postings of a role."
    named = [tool["name"] for tool in skill["tools"] if tool["named_by_source"]]
    added = [tool["name"] for tool in skill["tools"] if not tool["named_by_source"]]
    if named:
        text += f" The road map names {plain(listed(named))}."
    if added:
        text += f" Added as {'an example' if len(added) == 1 else 'examples'}: {plain(listed(added))}."
    st.markdown(text)


def show_catalogue() -> None:
    """The tools that are left, most counted first."""
    table = shown.assign(
        category=shown["category"].map(capitalised),
        openness=shown["openness"].map(capitalised),
        licence=shown["licence"].fillna(NOT_STATED),
        skills_told=shown["skill_names"].map(", ".join),
    )[list(HEADINGS)]
    st.dataframe(
        table.rename(columns=HEADINGS),
        hide_index=True,
        height=min(420, 38 + 35 * max(len(table), 1)),
        placeholder="",
        on_select=take_clicked_row,
        selection_mode="single-row",
        key="tool-table",
        column_config={
            **address_columns(),
            "Name": st.column_config.Column(width=190, pinned=True),
            "Category": st.column_config.Column(width=140),
            "What it is for": st.column_config.Column(width=330),
            "Since": st.column_config.NumberColumn(format="%d"),
            "Downloads": st.column_config.NumberColumn(format="compact"),
            "Stars": st.column_config.NumberColumn(format="compact"),
        },
        alt=f"The {len(table)} tools that match, with what each is for",
    )
    st.caption(
        f"Downloads and stars are the newest that a list prints for the tool, up to "
        f"{when(latest['downloads'])} and {when(latest['stars'])}; neither counts users. "
        "An empty cell: no source that was read counts it."
    )


def show_card(tool: Any) -> None:
    """Everything known of one tool: purpose, terms, skills, popularity with its sources."""
    with st.container(border=True, key="tool-card"):
        st.subheader(plain(tool.name), anchor="card")
        st.markdown(
            plain(tool.purpose) if isinstance(tool.purpose, str) else "No source says what it is for."
        )
        st.markdown("  \n".join(facts(tool)))
        if len(tool.skills):
            with st.container(horizontal=True, vertical_alignment="center", key="tool-skills"):
                st.markdown("Goes with", width="content")
                for skill_id, name in zip(tool.skills, tool.skill_names, strict=True):
                    st.button(name, key=f"skill-{skill_id}", on_click=take_skill, args=(skill_id,))
        show_popularity(tool)
        st.caption(source_line(tool))


def facts(tool: Any) -> list[str]:
    """Kind, maker, terms, first year and addresses of a tool, a line each."""
    lines = [f"**{capitalised(tool.category)}**, {tool.openness}"]
    if isinstance(tool.vendor, str):
        lines[0] += f", made by {plain(tool.vendor)}"
    lines.append(f"Licence: {plain(tool.licence) if isinstance(tool.licence, str) else NOT_STATED}")
    if pd.notna(tool.first_release_year):
        basis = f" ({plain(tool.year_basis)})" if isinstance(tool.year_basis, str) else ""
        lines.append(f"First release: {tool.first_release_year:.0f}{basis}")
    links = [
        f"[{label}]({url})"
        for label, url in (("home page", tool.homepage), ("repository", tool.repository))
        if isinstance(url, str)
    ]
    if links:
        lines.append(f"On the web: {', '.join(links)}")
    return lines


def show_popularity(tool: Any) -> None:
    """The newest figure of every signal that counts the tool."""
    if not tool.signals:
        st.caption("No source that was read counts how much it is used.")
        return
    rows = ask(
        """
        SELECT framework, signal, period, value, unit_id, count_rank, counted, url FROM framework_count
        WHERE tool_id = $tool_id
        QUALIFY row_number() OVER (PARTITION BY signal_id ORDER BY period DESC, claim_id) = 1
        ORDER BY metric_rank, period DESC, signal
        """,
        tool_id=tool.tool_id,
    )
    rows = rows.assign(
        period=rows["period"].map(when),
        value=[amount(row.value, row.unit_id) for row in records(rows)],
        rank=[f"{row.count_rank} of {row.counted}" for row in records(rows)],
    )
    st.dataframe(
        rows[list(SIGNAL_HEADINGS)].rename(columns=SIGNAL_HEADINGS),
        hide_index=True,
        height=min(250, 38 + 35 * len(rows)),
        column_config=address_columns(),
        alt=f"The newest figure of every signal that counts {tool.name}",
        key="tool-signals",
    )
    if st.button(
        "Compare it with others over time",
        icon=":material/monitoring:",
        key="to-frameworks",
    ):
        st.switch_page("app_pages/frameworks.py", query_params={"frameworks": rows["framework"].iloc[0]})


def source_line(tool: Any) -> str:
    """Where the entry of the catalogue was read."""
    cards = ask("SELECT source_id, publisher, carrier, url, published FROM source_card").set_index(
        "source_id"
    )
    told = []
    for source_id in (tool.source_id, tool.second_source_id):
        if isinstance(source_id, str) and source_id in cards.index:
            card = cards.loc[source_id]
            year = f", {str(card['published'])[:4]}" if isinstance(card["published"], str) else ""
            told.append(f"[{plain(card['publisher'])}]({card['url']}){year}")
    return f"The entry was read at {listed(told)}." if told else ""


categories = tools["category"].nunique()
open_tools = int((tools["openness"] == "open source").sum())
page_head(
    "Which tools are there, and what is each for?",
    f"{len(tools)} tools in {categories} categories, {open_tools} of them open source; for "
    f"{int((tools['signals'] > 0).sum())} somebody counts how popular they are.",
)
asked = filter_bar(ToolFilters, "tools", NARROWING)
shown = matching(tools, asked)
if asked["skill"]:
    show_skill(asked["skill"])
if shown.empty:
    st.info("No tool matches. Shorten the search, or reset the filters.", icon=":material/search_off:")
else:
    st.caption(
        f"{counted(len(shown), 'tool')}, those with the most signals first. "
        "A click on a row opens its card below, a click on a heading sorts."
    )
    show_catalogue()
chosen = filter_bar(ToolFilters, "tool", ("tool",))["tool"]
if chosen:
    show_card(next(records(tools[tools["tool_id"] == chosen])))

read_on(frameworks="Frameworks: popularity over time, by every signal")
