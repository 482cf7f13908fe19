"""Careers: the roles, the road map that the reader walks, what postings ask for, what is paid, what to show."""

from collections.abc import Collection

import pandas as pd
import streamlit as st

from dashboard.address import MORE
from dashboard.charts.careers import BESIDE, KNOWN, NEXT, KnownFilters, path_states
from dashboard.charts.marks import capitalised, counted, records
from dashboard.components import chart_card, filter_bar, page_head, plain, source_list
from dashboard.theme import exact
from dashboard.warehouse import ask

MOST_STEPS = 6
MOST_TOOLS = 4
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
    "SELECT role_id, role, value, sample_size, skill_id, skill_ids FROM posting_share "
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


# --- roles side by side ------------------------------------------------------------------------------------------


def roles_side_by_side() -> None:
    """What the guides say of each role, one aspect a row; an empty cell means that they say nothing."""
    said = items[items["subject"].isin(list(ROLES)) & items["aspect"].isin(ASPECTS)]
    table = said.groupby(["aspect", "subject"])["item"].agg("; ".join).unstack("subject")
    table = table.reindex(index=list(ASPECTS), columns=list(ROLES)).dropna(how="all").fillna("–")
    table = table.map(lambda words: plain(capitalised(words))).rename(columns=ROLES)
    table.index = [f"**{capitalised(aspect)}**" for aspect in table.index]
    with st.container(border=True, key="roles"):
        st.subheader("Three roles side by side", anchor="roles")
        st.markdown(
            "An ML engineer builds the model, an application developer builds products on top of it, and the "
            "generative-AI developer of the guides stands between them. A dash means that the guides say nothing."
        )
        st.table(table, border="horizontal", alt="What the guides say of each role")
        sources_of(said["source_id"])


# --- the road map ------------------------------------------------------------------------------------------------


def mark(skill_id: str) -> None:
    """Move the visible list of known skills as the box of one skill was moved."""
    known = [each for each in st.session_state.get("known", []) if each != skill_id]
    st.session_state["known"] = [*known, skill_id] if st.session_state[f"box-{skill_id}"] else known


def asked_for(skill_id: str) -> str:
    """How often postings name a skill, over all samples: 56 to 92%."""
    values = by_name.loc[by_name["skill_id"] == skill_id, "value"]
    if values.empty:
        return ""
    low, high = values.min(), values.max()
    return f"{exact(high)}%" if low == high else f"{exact(low)}–{exact(high)}%"


def box(row: pd.Series) -> None:
    """One skill of the map: its box, its state, how often it is asked for."""
    key = f"box-{row['skill_id']}"
    st.session_state[key] = row["state"] == KNOWN
    asked = asked_for(row["skill_id"])
    label = f"**{plain(row['skill'])}** :blue-badge[next]" if row["state"] == NEXT else plain(row["skill"])
    label += f" :small[{asked}]" if asked else ""
    st.checkbox(label, key=key, on_change=mark, args=(row["skill_id"],), help=row["description"])


def road_map(states: pd.Series) -> None:
    """Category by category, from the foundations to the advanced level."""
    marked = skills.assign(state=states)
    for category, rows in marked.groupby("category", sort=False):
        st.markdown(f"**{plain(category)}**")
        levels = rows["level"].fillna("Beside the path")
        grid = st.grid(3 if levels.nunique() <= 3 else 4, min_column_width=210)
        for level, group in rows.groupby(levels, sort=False):
            with grid.cell():
                st.caption(str(level))
                for _, row in group.iterrows():
                    box(row)


def next_steps(states: pd.Series) -> None:
    """What is next, with the tools for it and the roles that ask for it, the most asked for first."""
    steps = skills[states == NEXT]
    if steps.empty:
        st.success("You have marked every step of the path.", icon=":material/flag:")
        return
    steps = steps.assign(most=steps["postings"].fillna(-1)).sort_values("most", ascending=False, kind="stable")
    grid = st.grid(3, min_column_width=270, border=True)
    for _, step in steps.head(MOST_STEPS).iterrows():
        with grid.cell():
            st.markdown(f"**{plain(step['skill'])}** :small[{plain(step['category'])}, {step['level'].lower()}]")
            st.markdown(plain(step["description"]))
            if step["tools"] is not None and len(step["tools"]):
                tools = ", ".join(plain(tool["name"]) for tool in step["tools"][:MOST_TOOLS])
                st.markdown(f":material/build: {tools}")
            st.markdown(f":material/work: {who_asks(step['skill_id'])}")
    if len(steps) > MOST_STEPS:
        rest = ", ".join(plain(name) for name in steps["skill"].iloc[MOST_STEPS:])
        st.caption(f"Also next, with no count of postings or a lower one: {rest}.")


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
    text = "Named in postings for " + ", ".join(said) if said else "No count of postings names it"
    return text + (f"; part of the work of the {' and the '.join(named)}" if named else "") + "."


def progress(states: pd.Series) -> str:
    """How far the reader is, in one sentence, and for which role it counts."""
    known = set(skills.loc[states == KNOWN, "skill_id"])
    on_path = skills["level_order"].notna()
    done = int((on_path & (states == KNOWN)).sum())
    text = f"{done} of the {int(on_path.sum())} skills on the path are marked."
    role_skills = by_name.groupby("role")["skill_id"].agg(set)
    covered = {role: len(asked & known) for role, asked in role_skills.items()}
    best = max(covered, key=lambda role: (covered[role], role), default=None)
    if best is None or not covered[best]:
        return text + " Tick what you know: the next step of each category is set in bold."
    return f"{text} Of the {len(role_skills[best])} that postings for {best} are counted for, you know {covered[best]}."


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
            "Percentages: lowest and highest share of job postings that name the skill, over all samples and roles; "
            "none means that no sample counts it. Skills on no level of the guide are beside the path."
        )
        sources_of(skills["source_id"])
    st.subheader("What is next", anchor="next")
    next_steps(states)
    return known


# --- what to show, where to go -----------------------------------------------------------------------------------


def cards(comparison: str, aspects: dict[str, str]) -> None:
    """One card a subject of a comparison, its aspects in words."""
    rows = items[items["comparison"] == comparison]
    grid = st.grid(3, min_column_width=260, border=True)
    for subject, group in rows.groupby("subject", sort=False):
        with grid.cell():
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
                st.markdown(f":material/build: {plain(', '.join(tools))}")
    sources_of(rows["source_id"])


counts = by_name.groupby("skill_id")["value"].max().sort_values(ascending=False)
top = skills.set_index("skill_id")["skill"].reindex(counts.index[:3]).tolist()
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

more = st.expander(
    "More: roles compared in one sample, job titles, how the role changes, training, what raises pay",
    on_change="rerun",
    key=MORE,
    bind="query-params",
)
if more.open:
    with more:
        chart_card("skill-by-role", own=("study",))
        chart_card("job-titles")
        said = items[items["comparison"].isin(TOPICS)]
        for (_, aspect), group in said.groupby(["comparison", "aspect"], sort=False):
            st.markdown(f"**{capitalised(str(aspect))}**: {plain('; '.join(group['item']))}.")
        sources_of(said["source_id"])
