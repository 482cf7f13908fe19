"""Salaries: what records of pay say by role, level, country and year, and how sure one may be."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.charts.marks import records
from dashboard.charts.salaries import COUNTINGS, SalaryFilters
from dashboard.components import chart_card, filter_bar, more, page_head, plain, read_on
from dashboard.theme import percent
from dashboard.warehouse import ask

MOST_REASONS = 6  # of a source that are listed on the page; the table of reasons has all


def some(*parts: tuple[float, str], before: str = "") -> str:
    """An enumeration of counts that go on after `before`, without those that are zero."""
    return before + "".join(f", {count:,.0f} {what}" for count, what in parts if count)


def listed(rows: Iterable[Any]) -> str:
    """Reasons or titles with their counts, the most frequent first."""
    rows = list(rows)
    said = [f"{plain(row.reason)} ({row.records:,.0f})" for row in rows[:MOST_REASONS]]
    return ", ".join([*said, "and others"] if len(rows) > MOST_REASONS else said)


taken = ask(
    "SELECT * FROM pay_import JOIN pay_source USING (source) WHERE kind = 'pay' ORDER BY accepted DESC"
)
mix = ask(
    "SELECT sum(reports) AS reports, sum(postings) AS postings, sum(paired_reports) AS paired, "
    "sum(reports) FILTER (company_country = 'USA') AS from_us, count(DISTINCT role_id) AS roles "
    "FROM salary_cell WHERE source = 'aijobs'"
).iloc[0]
page_head(
    "What would I earn?",
    f"{mix.reports:,.0f} records of pay in {mix.roles:.0f} roles are {mix.postings:,.0f} distinct postings; "
    f"{percent(100 * mix.from_us / mix.reports, 0)} of the records come from employers in the US, so a "
    "figure for all of them is mainly one for the US."
    if mix.reports
    else "No records of pay were imported into this build.",
)
chart_card("salary-estimate", own=("my_role", "my_level", "my_country", "my_year", "my_works", "my_size"))
shared = filter_bar(SalaryFilters, key="salaries")
chart_card("salary-distribution", shared)
pair = st.grid(2, min_column_width=420)
with pair.cell():
    chart_card("salary-by-experience", shared)
with pair.cell():
    chart_card("salary-by-remote", shared)
chart_card("salary-by-country", shared, own=("ppp",))
chart_card("salary-trend", shared)
chart_card("salary-roles-compare", shared)
chart_card("salary-sources", own=("paid_role", "paid_in", "paid_level"))
chart_card("salary-us-metros", own=("occupation",))
if more("Show more: skills and pay"):
    chart_card("salary-by-skill", own=("skill_source", "skill_role", "senior"))

with st.container(border=True, key="records"):
    st.subheader("What the records are, and what they are not", anchor="records")
    reasons = list(
        records(
            ask(
                "SELECT * FROM pay_reason WHERE kind <> 'title without role' "
                "OR reason NOT IN (SELECT title FROM role_title) ORDER BY source, records DESC, reason"
            )
        )
    )
    for row in records(taken):
        why = {
            kind: listed(each for each in reasons if (each.source, each.kind) == (row.source, kind))
            for kind in ("left out", "rejected", "title without role")
        }
        st.markdown(
            f"**{plain(row.name)}**: {plain(row.measures)}. {row.accepted:,.0f} of {row.rows:,.0f} rows were "
            + some((row.left_out, "left out"), (row.rejected, "rejected"), before="taken")
            + f"; {row.mapped:,.0f} have a known role"
            + some((row.excluded, "a title that names no role"), (row.unmapped, "no title or an unknown one"))
            + f". {plain(row.caution)}"
        )
        notes = (
            ("Left out", why["left out"]),
            ("Rejected", why["rejected"]),
            ("Titles that are not known, the most frequent", why["title without role"]),
        )
        if told := [f"{words}: {counts}." for words, counts in notes if counts]:
            st.caption(" ".join(told))
    st.markdown(
        f"**{COUNTINGS['postings']}** joins two neighbouring records that differ only in pay, the higher "
        "first, to one posting at the middle of their range, and counts postings alike in everything once. "
        f"**{COUNTINGS['reports']}** counts every record; "
        f"{percent(100 * mix.paired / mix.reports, 0) if mix.reports else 'none'} of them are ends of ranges."
    )
    titles = ask(
        "SELECT title, excluded_because AS reason, reports FROM salary_title "
        "WHERE source = 'aijobs' AND excluded_because IS NOT NULL ORDER BY reports DESC LIMIT 12"
    )
    if len(titles):
        named = ", ".join(f"{plain(row.title)} ({row.reports:,.0f})" for row in records(titles))
        st.caption(f"Titles that stand for no role, the most frequent: {named}.")

read_on(
    careers="Careers: what published pages say is paid, and for which skills",
    hubs="Hubs: where the jobs are",
)
