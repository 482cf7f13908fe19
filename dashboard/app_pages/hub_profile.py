"""The profile of one city or country on the Hubs page: context, every figure, companies, pay."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import theme
from dashboard.charts.hub_figures import PRICES, amount_with_unit, shown
from dashboard.charts.marks import capitalised, records, spoken
from dashboard.components import address_columns, plain
from dashboard.warehouse import ask

MOST_CITIES_LINKED = 8


def go_to(place: str) -> None:
    """Move the visible choice of the place."""
    st.session_state["place"] = place


def links(places: Mapping[str, str], key: str) -> None:
    """One button a place that moves the choice."""
    with st.container(horizontal=True, gap="xsmall", key=f"links-{key}"):
        for place, name in places.items():
            st.button(name, key=f"{key}-{place}", type="tertiary", on_click=partial(go_to, place))


def head(place: str) -> None:
    """Name of the place and what its context is: size, prices, its cities or its country."""
    own = ask("SELECT * FROM place WHERE entity_id = $place", place=place).iloc[0]
    is_country = own["place_kind"] == "country"
    st.header(own["place"] if is_country else f"{own['place']}, {own['region']}", anchor="profile")
    facts = [*(country_facts(place) if is_country else []), price_level(place)]
    st.markdown(plain(capitalised("; ".join(facts))) + ".")
    cities = ask(
        "SELECT entity_id, city FROM hub_profile WHERE country_id = $place "
        "ORDER BY metrics DESC, city LIMIT $most",
        place=place,
        most=MOST_CITIES_LINKED,
    )
    if len(cities):
        links(dict(zip(cities["entity_id"], cities["city"], strict=True)), "cities")


def price_level(place: str) -> str:
    """The price level of a place, of which area and from which years, or that there is none."""
    found = ask(
        "SELECT * FROM hub_figure WHERE list_id = $prices AND entity_id = $place", prices=PRICES, place=place
    )
    if found.empty:
        return "no price level is known: no exchange rate of the right year, or no figure for the area"
    row = next(records(found))
    rate = f", exchange rate of {row.rate_year}" if pd.notna(row.rate_year) else ""
    said = f"{row.publisher}, {spoken(row.period)}{rate}"
    return f"price level {shown(row)}, where the United States has 100 ({row.area}; {said})"


def country_facts(place: str) -> list[str]:
    """Size of a country and its economy, each with its year."""
    row = ask("SELECT * FROM country_profile WHERE entity_id = $place", place=place).iloc[0]
    facts = []
    if pd.notna(row["population"]):
        facts.append(f"{row['population'] / 1e6:,.1f} million inhabitants ({row['population_year']:.0f})")
    if pd.notna(row["gdp_per_head_usd"]):
        facts.append(f"${row['gdp_per_head_usd']:,.0f} of GDP per head ({row['gdp_year']:.0f}, World Bank)")
    return facts


def figures(place: str) -> None:
    """Every figure of the place: what, how much, when, which rank, which area, who says so."""
    rows = ask(
        """
        SELECT * FROM (
            SELECT *, rank() OVER (same ORDER BY shown_value DESC) AS rank, count(*) OVER same AS places
            FROM hub_figure
            WINDOW same AS (PARTITION BY list_id, place_kind)
        )
        WHERE entity_id = $place
        ORDER BY part IS NULL, part, list_label
        """,
        place=place,
    )
    table = pd.DataFrame(
        [
            {
                "Figure": row.measure,
                "Value": amount_with_unit(row),
                "Year": row.period,
                "Rank": f"{row.rank} of {row.places}"
                if row.places > 2 and row.shown_unit_id != "rank"
                else "",
                "Area described": row.area,
                "Publisher": row.publisher,
                "How it was read": theme.ATTRIBUTIONS[row.attribution],
                "Address": row.url,
            }
            for row in records(rows)
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 420),
        column_config=address_columns(),
        alt="Every figure of the place, with year, rank and source",
        key="figures-of-place",
    )


def companies(place: str) -> None:
    """The companies of the catalogue that have their seat there, those with the highest valuation first."""
    rows = ask(
        """
        SELECT company.name, company.kind, company.founded_year,
            max_by(harmonised_value, figure.period) FILTER (metric_id = 'company_valuation') AS valuation_mn,
            max(figure.period) FILTER (metric_id = 'company_valuation') AS valued,
            max_by(harmonised_value, figure.period) FILTER (metric_id = 'company_funding') AS funding_mn,
            max(figure.period) FILTER (metric_id = 'company_funding') AS funded,
            max(source_card.url) AS url
        FROM company
        LEFT JOIN observation_figure AS figure ON figure.entity_id = company.company_id
            AND figure.dataset = 'company_figure' AND NOT figure.is_repeat AND figure.segment IS NULL
        LEFT JOIN source_card ON source_card.source_id = coalesce(figure.source_id, company.source_id)
        WHERE $place IN (company.city_id, company.country_id)
        GROUP BY company.company_id, company.name, company.kind, company.founded_year
        ORDER BY valuation_mn DESC NULLS LAST, funding_mn DESC NULLS LAST, company.name
        """,
        place=place,
    )
    if rows.empty:
        st.caption("No company of the catalogue has its seat here.")
        return
    table = pd.DataFrame(
        {
            "Company": rows["name"],
            "Kind": rows["kind"],
            "Founded": rows["founded_year"],
            "Valuation": [
                _money(v, when) for v, when in zip(rows["valuation_mn"], rows["valued"], strict=True)
            ],
            "Funding": [_money(v, when) for v, when in zip(rows["funding_mn"], rows["funded"], strict=True)],
            "Address": rows["url"],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 320),
        column_config={"Founded": st.column_config.NumberColumn(format="%d"), **address_columns()},
        placeholder="not stated",
        alt="Companies with their seat in the place",
        key="companies-of-place",
    )


def _money(value_mn: float, when: str) -> str:
    return f"{theme.usd_bn(value_mn / 1000)} ({str(when)[:4]})" if pd.notna(value_mn) else "no figure"


def pay(place: str) -> None:
    """What is said to be paid there, by role."""
    rows = ask(
        "SELECT * FROM salary_statement "
        "WHERE entity_id = $place AND NOT is_repeat AND attribution <> 'misquoted' "
        "ORDER BY year DESC NULLS LAST, role, statistic LIMIT 60",
        place=place,
    )
    if rows.empty:
        st.caption(
            "No published pay statement by role names this place; averages by list stand among the figures."
        )
        return
    table = pd.DataFrame(
        [
            {
                "Role": row.role,
                "Level": row.experience_label if pd.notna(row.experience_label) else row.experience_level,
                "Statistic": row.statistic,
                "Published": f"{row.value:,.0f} {row.currency}",
                "In US$": f"${row.usd_value:,.0f}" if pd.notna(row.usd_value) else "no rate",
                "Year": f"{row.year:.0f}" if pd.notna(row.year) else "not stated",
                "Kind of pay": row.compensation_kind,
                "Publisher": row.publisher,
                "Address": row.url,
            }
            for row in records(rows)
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 320),
        column_config=address_columns(),
        alt="Published pay statements for the place",
        key="pay-of-place",
    )
