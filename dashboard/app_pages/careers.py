"""Careers: the roles, the road map that the reader walks, what postings ask for, what is paid."""

from collections.abc import Collection
from html import escape

import pandas as pd
import streamlit as st

from dashboard.charts.careers import KNOWN, NEXT, KnownFilters, path_states
from dashboard.charts.marks import capitalised, counted, records
from dashboard.components import chart_card, filter_bar, more, page_head, plain, read_on, source_list
from dashboard.theme import exact
from dashboard.warehouse import ask

MOST_STEPS = 6
LONGEST_LINK = 30  # characters of a link in a card
ROLES = {
    "ML Engineer": "ML engineer",
    "Generative-AI Application Developer": "Generative-AI application developer",
    "Generative AI Developer": "Generative-AI developer",
}
ASPECTS = (
    "in one line",
    "responsibility",
    "technology",
    "model type",
    "example product",
    "output",
    "builds the model itself",
    "suits people who enjoy",
    "cat test",
    "analogy",
)
TOPICS = ("changing role", "education", "pay driver")

skills = ask("SELECT * FROM skill_path ORDER BY category_order, level_order NULLS LAST, skill")
shares = ask(
    "SELECT role, asked_for, value, skill_id, skill_ids FROM posting_share "
    "WHERE metric_id = 'skill_share_of_postings' AND NOT is_repeat AND skill_ids IS NOT NULL"
)
by_name = shares[shares["skill_id"].notna()]
items = ask("SELECT * FROM role_item ORDER BY role_item_id")
item_skills = ask("SELECT subject, skill_id FROM role_item JOIN role_item_skill USING (role_item_id)")


def sources_of(source_ids: Collection[str]) -> None:
    """The publications behind a block of words, in a popover."""
    cards = ask(
        "SELECT *, 'relayed' AS read FROM source_card WHERE list_contains($ids::VARCHAR[], source_id) "
        "ORDER BY publisher",
        ids=sorted(set(source_ids)),
    )
    names = ", ".join(plain(name) for name in cards["publisher"])
    with st.popover(f"Source: {names}", icon=":material/format_quote:", type="tertiary"):
        source_list(cards)


# --- roles side by side ---------------------------------------------------------------------------


TABLE_STYLE = """
<style>
.roles { border-collapse: collapse; width: 100%; table-layout: fixed; }
.roles th, .roles td {
    border-top: 1px solid rgba(139, 150, 163, 0.35);
    padding: 0.5rem 0.75rem 0.5rem 0;
    text-align: left;
    vertical-align: top;
}
.roles thead td { width: 16%; }
.roles thead th, .roles thead td { border-top: 0; }
.roles td::before { display: none; content: attr(data-role); font-size: 0.875rem; opacity: 0.75; }
@media (max-width: 640px) {
    .roles thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
    .roles tbody th, .roles td { display: block; border-top: 0; padding: 0.25rem 0; }
    .roles tbody th { border-top: 1px solid rgba(139, 150, 163, 0.35); padding-top: 0.75rem; }
    .roles td::before { display: block; }
    .roles td.unsaid { display: none; }
}
</style>
"""


def roles_side_by_side() -> None:
    """What the guides say of each role, one aspect a row; on narrow screens one role below the other."""
    said = items[items["subject"].isin(list(ROLES)) & items["aspect"].isin(ASPECTS)]
    words = said.groupby(["aspect", "subject"])["item"].agg("; ".join)
    heads = "".join(f'<th scope="col">{escape(role)}</th>' for role in ROLES.values())
    rows = "".join(_aspect_row(aspect, words) for aspect in ASPECTS if aspect in set(said["aspect"]))
    with st.container(border=True, key="roles"):
        st.subheader("Three roles side by side", anchor="roles")
        st.markdown(
            "What two guides say of each role, one aspect a row. A dash means that they say nothing of it."
        )
        st.html(
            f'{TABLE_STYLE}<table class="roles"><thead><tr><td></td>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
        sources_of(said["source_id"])


def _aspect_row(aspect: str, words: pd.Series) -> str:
    cells = []
    for subject, role in ROLES.items():
        text = capitalised(str(words.get((aspect, subject), "")))
        kind = "" if text else ' class="unsaid"'
        cells.append(f'<td{kind} data-role="{escape(role)}">{escape(text) or "–"}</td>')
    return f'<tr><th scope="row">{escape(capitalised(aspect))}</th>{"".join(cells)}</tr>'


# --- the road map ---------------------------------------------------------------------------------


def mark(skill_id: str) -> None:
    """Move the visible list of known skills as the box of one skill was moved."""
    known = [each for each in st.session_state.get("known", []) if each != skill_id]
    st.session_state["known"] = [*known, skill_id] if st.session_state[f"box-{skill_id}"] else known


def asked_for(skill_id: str) -> str:
    """How often postings name a skill, rounded, over all samples: 56–92%."""
    values = by_name.loc[by_name["skill_id"] == skill_id, "value"]
    if values.empty:
        return ""
    low, high = f"{values.min():.0f}", f"{values.max():.0f}"
    return f"{high}%" if low == high else f"{low}–{high}%"


def boxes(rows: pd.DataFrame) -> None:
    """Skills of the map: a box each, its state, how often postings ask for it."""
    for _, row in rows.iterrows():
        key = f"box-{row['skill_id']}"
        st.session_state[key] = row["state"] == KNOWN
        asked = asked_for(row["skill_id"])
        # The label is read aloud as it is written, so the state stands beside it and not in it.
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            label = f"{row['skill']} ({asked})" if asked else str(row["skill"])
            st.checkbox(label, key=key, on_change=mark, args=(row["skill_id"],), width="content")
            if row["state"] == NEXT:
                st.badge("next")


def road_map(states: pd.Series) -> None:
    """Category by category, from the foundations to the advanced level; last, what has no level."""
    marked = skills.assign(state=states)
    on_path = marked["level"].notna()
    for category, rows in marked[on_path].groupby("category", sort=False):
        st.markdown(f"**{plain(category)}**")
        grid = st.grid(3, min_column_width=280)
        for level, group in rows.groupby("level", sort=False):
            with grid.cell(), st.container(gap="xsmall"):
                st.caption(str(level))
                boxes(group)
    st.markdown("**Beside the path**")
    grid = st.grid(3, min_column_width=280)
    for category, group in marked[~on_path].groupby("category", sort=False):
        with grid.cell(), st.container(gap="xsmall"):
            st.caption(plain(category))
            boxes(group)


def next_steps(states: pd.Series) -> None:
    """What is next, with the tools for it and the roles that ask for it, the most asked for first."""
    steps = skills[states == NEXT]
    if steps.empty:
        st.success("You have marked every step of the path.", icon=":material/flag:")
        return
    most = [
        (by_name.loc[by_name["skill_id"] == skill_id, "value"].max(), named_tools(skill_id)["value"].max())
        for skill_id in steps["skill_id"]
    ]
    rank = pd.Series([a if pd.notna(a) else b for a, b in most], index=steps.index).fillna(-1.0)
    steps = steps.loc[rank.sort_values(ascending=False, kind="stable").index]
    grid = st.grid(3, min_column_width=270, border=True)
    for _, step in steps.head(MOST_STEPS).iterrows():
        with grid.cell(), st.container(gap="xsmall"):
            st.markdown(f"**{plain(step['skill'])}**")
            st.caption(f"{plain(step['category'])}, {step['level'].lower()}")
            st.markdown(plain(step["description"]))
            st.markdown(f":material/work: {who_asks(step['skill_id'])}")
            if step["tools"] is not None and len(step["tools"]):
                names = ", ".join(str(tool["name"]) for tool in step["tools"])
                fits = len(names) <= LONGEST_LINK
                st.page_link(
                    "app_pages/tools.py",
                    label=f"Tools: {plain(names)}" if fits else f"{len(step['tools'])} tools for it",
                    icon=":material/construction:",
                    query_params={"skill": str(step["skill"])},
                )
    if len(steps) > MOST_STEPS:
        rest = ", ".join(plain(name) for name in steps["skill"].iloc[MOST_STEPS:])
        st.caption(f"Also next, less often or never counted in postings: {rest}.")


def named_tools(skill_id: str) -> pd.DataFrame:
    """The highest share of postings that names each tool which the guide gives for the skill."""
    rows = shares[
        shares["skill_ids"].map(lambda ids: skill_id in ids) & (shares["skill_id"].fillna("") != skill_id)
    ]
    return rows.sort_values("value", ascending=False).drop_duplicates("asked_for")


def who_asks(skill_id: str) -> str:
    """The roles whose postings name a skill, by how many do, and the roles that the guides give it to."""
    rows = by_name[by_name["skill_id"] == skill_id]
    by_role = rows.groupby("role")["value"].agg(["min", "max"]).sort_values("max", ascending=False)
    said = [
        f"{plain(role)} {exact(high)}%" if low == high else f"{plain(role)} {exact(low)}–{exact(high)}%"
        for role, low, high in by_role.head(3).itertuples()
    ]
    if len(by_role) > len(said):
        said.append(f"{counted(len(by_role) - len(said), 'more role')}")
    guides = item_skills.loc[item_skills["skill_id"] == skill_id, "subject"].unique()
    named = [ROLES[subject] for subject in guides if subject in ROLES]
    tools = [
        f"{plain(row.asked_for)} up to {exact(row.value)}%" for row in records(named_tools(skill_id).head(2))
    ]
    if said:
        text = "Share of postings that name it: " + ", ".join(said)
    elif tools:
        text = "No sample counts it, but its tools: " + ", ".join(tools)
    else:
        text = "No sample of postings counts it"
    return text + (f"; part of the work of the {' and the '.join(named)}" if named else "") + "."


def progress(states: pd.Series) -> str:
    """How far the reader is, in one sentence, and for which role it counts."""
    known = set(skills.loc[states == KNOWN, "skill_id"])
    on_path = skills["level_order"].notna()
    done = int((on_path & (states == KNOWN)).sum())
    text = f"Marked so far: {done} of the {int(on_path.sum())} skills on the path."
    role_skills = {str(role): set(rows["skill_id"]) for role, rows in by_name.groupby("role")}
    covered = {role: len(asked & known) for role, asked in role_skills.items()}
    best = max(covered, key=lambda role: (covered[role], len(role_skills[role])), default=None)
    if best is None or not covered[best]:
        return f"{text} Tick what you know, and see what is next in each category."
    return (
        f"{text} Postings for {best} are counted for {len(role_skills[best])} skills of the map, "
        f"and you know {covered[best]} of these."
    )


def walk() -> list[str]:
    """The road map with its state in the address; returns what the reader knows."""
    with st.container(border=True, key="road-map"):
        st.subheader("The road map: mark what you know", anchor="road-map")
        sentence = st.empty()
        known: list[str] = filter_bar(KnownFilters, "known")["known"]
        states = path_states(skills, known)
        sentence.markdown(plain(progress(states)))
        road_map(states)
        st.caption(
            "Percentages are the lowest and the highest share of job postings that name the skill, over all "
            "samples and roles; where there is none, no sample counts it. What the guide puts on no level is "
            "beside the path."
        )
        sources_of(skills["source_id"])
    st.subheader("What is next", anchor="next")
    next_steps(states)
    return known


# --- what to show, where to go --------------------------------------------------------------------


def cards(comparison: str, aspects: dict[str, str]) -> None:
    """One card a subject of a comparison, its aspects in words."""
    rows = items[items["comparison"] == comparison]
    grid = st.grid(3, min_column_width=260, border=True)
    for subject, group in rows.groupby("subject", sort=False):
        with grid.cell(), st.container(gap="xsmall"):
            st.markdown(f"**{plain(subject)}**")
            for aspect, words in aspects.items():
                said = "; ".join(group.loc[group["aspect"] == aspect, "item"])
                if said:
                    st.markdown(f"{words} {plain(said)}.")
            tools = ask(
                "SELECT DISTINCT tool.name FROM role_item_tool JOIN tool USING (tool_id) "
                "WHERE list_contains($ids::VARCHAR[], role_item_id) ORDER BY tool.name",
                ids=list(group["role_item_id"]),
            )["name"]
            if len(tools):
                st.caption(f"With {plain(', '.join(tools))}")
    sources_of(rows["source_id"])


counts = by_name.groupby("skill_id")["value"].max().sort_values(ascending=False)
top = [f"“{name}”" for name in skills.set_index("skill_id")["skill"].reindex(counts.index[:3])]
page_head(
    "What is there to learn, and who asks for it?",
    f"{len(skills)} skills in {skills['category'].nunique()} categories lead to three roles; "
    f"{len(counts)} of them are counted in job postings, led by {', '.join(top[:-1])} and {top[-1]}.",
)
roles_side_by_side()
known = walk()
chart_card("skill-frequency", {"known": known}, own=("asking", "hiring", "named"))
chart_card("pay-bands", own=("pay_group", "place", "pay_kind", "level", "tier", "older", "repeats"))

st.subheader("What to show: portfolio projects", anchor="portfolio")
cards("portfolio project", {"build": "Build:", "data": "Data:", "shows": "Shows:"})
st.subheader("Where to go: career paths", anchor="paths")
cards(
    "career path",
    {"form": "Form:", "example employer": "For example:", "draw": "Speaks for it:", "demand": "Asks for:"},
)

if more(
    "Show more: hiring posts, roles in one sample, job titles, the changing role, training, what raises pay"
):
    chart_card("hiring-posts")
    chart_card("skill-by-role", own=("study",))
    chart_card("job-titles")
    with st.container(border=True, key="role-notes"):
        st.subheader("What the guide adds", anchor="guide")
        said = items[items["comparison"].isin(TOPICS)]
        for (_, aspect), group in said.groupby(["comparison", "aspect"], sort=False):
            st.markdown(f"**{capitalised(str(aspect))}**: {plain('; '.join(group['item']))}.")
        sources_of(said["source_id"])

read_on(
    tools="Tools: what each is for, and for which skill",
    workforce="Workforce: how many there are, and how many are sought",
    hubs="Hubs: where the jobs are, and what a place costs",
)
