"""Companies: who there is, where, what they raised and are said to be worth, and a profile of each."""

import pandas as pd
import streamlit as st

from dashboard.charts.companies import PLAYERS, DatedFilters, ListFilters, player
from dashboard.charts.marks import capitalised, counted, records, spoken
from dashboard.company_figures import by_age, in_words
from dashboard.components import (
    address_columns,
    chart_card,
    chart_pair,
    filter_bar,
    page_head,
    plain,
    read_on,
    source_list,
)
from dashboard.warehouse import ask, warehouse

HEADINGS = {
    "company": "Company",
    "kind": "Kind of player",
    "headquarters": "Headquarters",
    "country": "Country",
    "founded_year": "Founded",
    "funding": "Money raised (US$ bn)",
    "funding_when": "Raised as of",
    "valuation": "Valuation (US$ bn)",
    "valuation_when": "Valued as of",
    "models": "Models named",
    "publisher": "Listed by",
    "url": "Address",
}

companies = ask("SELECT * FROM company_profile ORDER BY lower(company)")
figures = ask("SELECT attribution, metric_id FROM observation_figure WHERE dataset = 'company_figure'")
relayed = int((figures["attribution"] != "primary").sum())
page_head(
    "Who builds it, and what are they said to be worth?",
    f"{len(companies)} players in {companies['country'].nunique()} countries are listed: money raised is "
    f"known for {companies['funding_usd_mn'].notna().sum()} of them and a valuation for "
    f"{companies['valuation_usd_mn'].notna().sum()}. "
    + (
        f"All {len(figures)} figures were read where somebody relayed them."
        if relayed == len(figures)
        else f"{relayed} of {len(figures)} figures were read where somebody relayed them."
    ),
)
shared = filter_bar(DatedFilters, "companies")


def open_profile(clicked: list[str]) -> None:
    """Move the visible choice to the company whose block was clicked."""
    st.session_state["company"] = clicked[0]


chart_card("companies-by-country", shared, on_click=open_profile)


# --- the list -------------------------------------------------------------------------------------


def narrowed(seek: str) -> pd.DataFrame:
    """The companies that the page's filters and the search leave."""
    shown = companies
    if shared["player"]:
        shown = shown[shown["kind"].isin(shared["player"])]
    if shared["places"]:
        shown = shown[shown["country_id"].isin(shared["places"])]
    if seek:
        words = shown[["company", "headquarters", "country", "models"]].fillna("").agg(" ".join, axis=1)
        shown = shown[words.str.lower().str.contains(seek.lower(), regex=False)]
    return shown


def listing(shown: pd.DataFrame) -> None:
    """The list as a table; a click on a row opens its profile."""

    def take_clicked_row() -> None:
        if rows := st.session_state["company-table"].selection.rows:
            st.session_state["company"] = shown.iloc[rows[0]]["company_id"]

    table = shown.assign(
        kind=shown["kind"].map(player),
        funding=shown["funding_usd_mn"] / 1000,
        funding_when=shown["funding_period"].map(spoken, na_action="ignore"),
        valuation=shown["valuation_usd_mn"] / 1000,
        valuation_when=shown["valuation_period"].map(spoken, na_action="ignore"),
    )
    billions = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(
        table[list(HEADINGS)].rename(columns=HEADINGS),
        hide_index=True,
        height=420,
        placeholder="",
        on_select=take_clicked_row,
        selection_mode="single-row",
        key="company-table",
        column_config={
            **address_columns(),
            HEADINGS["founded_year"]: st.column_config.NumberColumn(format="%d"),
            HEADINGS["funding"]: billions,
            HEADINGS["valuation"]: billions,
        },
        alt="All companies on the list with their latest figures",
    )


def profile(row: pd.Series) -> None:
    """One company: where, since when, its figures with date and publisher, its models, its sources."""
    st.markdown(f"**{plain(row['company'])}**: {PLAYERS[row['kind']].lower()}{plain(home(row))}.")
    if pd.notna(row["note"]):
        st.caption(plain(row["note"]))
    known = ask(
        "SELECT claim_id, metric_label, value, bound, unit_label, currency, harmonised_value, period, "
        "segment, population, publisher, "
        "attribution, relayed_by, note, source_id "
        "FROM observation_figure WHERE dataset = 'company_figure' AND entity_id = $company_id "
        "AND NOT is_repeat ORDER BY metric_label, period DESC, claim_id",
        company_id=row["company_id"],
    )
    newest, earlier = by_age(known)
    st.markdown("\n".join(f"- {in_words(figure)}" for figure in records(newest)))
    if len(earlier):
        with st.expander(counted(len(earlier), "earlier figure")):
            st.markdown("\n".join(f"- {in_words(figure)}" for figure in records(earlier)))
    if known.empty:
        st.markdown("- No figure of money raised, valuation or staff was found.")
    if pd.notna(row["models"]):
        st.markdown(f"- Models that the sources name: {plain(row['models'])}")
    entry = pd.DataFrame(
        [{"claim_id": row["company_id"], "source_id": row["source_id"], "attribution": "relayed"}]
    )
    cards = warehouse().sources_of(pd.concat([entry, known[list(entry.columns)]]))
    with st.popover(f"Sources ({len(cards)})", icon=":material/format_quote:", type="tertiary"):
        source_list(cards)


def home(row: pd.Series) -> str:
    """Where a company sits and since when, as far as known."""
    places = [str(row[name]) for name in ("headquarters", "country") if pd.notna(row[name])]
    since = f", founded {row['founded_year']:.0f}" if pd.notna(row["founded_year"]) else ""
    return (", " + ", ".join(places) if places else ", home not known") + since


with st.container(border=True, key="company-list"):
    st.subheader("Every company on the list", anchor="list")
    asked = filter_bar(ListFilters, "list")
    if asked["company"]:
        profile(companies.set_index("company_id", drop=False).loc[asked["company"]])
    shown = narrowed(asked["seek"])
    if shown.empty:
        st.info("No company matches. Shorten the search, or reset the filters.", icon=":material/search_off:")
    else:
        st.caption(
            f"{counted(len(shown), 'row')}. A click on a row, or on a block above, opens a profile here; "
            "an empty cell means not found, not zero."
        )
        listing(shown)

chart_pair("company-funding", "company-valuation", shared)
chart_card("funding-by-country", shared, own=("money", "per"))
chart_card("company-funding-valuation", shared)

said = ask("SELECT subject, aspect, item FROM role_item WHERE comparison = 'player' ORDER BY role_item_id")
with st.expander("What each kind of player does, in the words of the guide"):
    for subject, group in said.groupby("subject", sort=False):
        part = "; ".join(group.loc[group["aspect"] == "part played", "item"])
        examples = ", ".join(group.loc[group["aspect"] == "example", "item"])
        named = f" For example {examples}." if examples else ""
        st.markdown(f"**{plain(subject)}**: {plain(capitalised(part))}.{plain(named)}")

read_on(
    market="Market: investment by year and country, as counted by those who count deals",
    hubs="Hubs: the cities that these companies sit in",
)
