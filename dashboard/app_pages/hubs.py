"""Hubs: cities on a map, the profile of one place, the reader's own ranking, cities side by side, pay and prices."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import theme
from dashboard.charts.hub_figures import PRICES, PlaceFilters, amount, shown
from dashboard.charts.hub_ranking import PARTS
from dashboard.charts.hub_ranks import RankingFilters, missing_parts, ranked, span
from dashboard.charts.marks import counted, records
from dashboard.components import address_columns, chart_card, filter_bar, page_head, plain
from dashboard.warehouse import ask, warehouse

# The places that readers ask for first: one click each.
QUICK = ("london-gb", "san-francisco-us", "bengaluru-in", "USA", "IND", "GBR", "CAN", "DEU")
MOST_CITIES_LINKED = 8


def go_to(place: str) -> None:
    """Move the visible choice of the place."""
    st.session_state["place"] = place


def go_to_mark(data: list[str]) -> None:
    """Move the choice of the place to the city of the mark that was clicked."""
    if len(data) > 2:
        go_to(data[2])


def links(places: dict[str, str], key: str) -> None:
    """One button a place that moves the choice."""
    with st.container(horizontal=True, gap="xsmall", key=f"links-{key}"):
        for place, name in places.items():
            st.button(name, key=f"{key}-{place}", type="tertiary", on_click=partial(go_to, place))


def profile_head(place: str) -> None:
    """Name of the place and what its context is: size, prices, its cities or its country."""
    own = ask(
        "SELECT entity.name, entity.kind, city.population, country.name AS country, entity.parent_id FROM entity "
        "LEFT JOIN city USING (entity_id) LEFT JOIN entity AS country ON country.entity_id = entity.parent_id "
        "WHERE entity.entity_id = $place",
        place=place,
    ).iloc[0]
    price = ask(f"SELECT * FROM hub_figure WHERE list_id = '{PRICES}' AND entity_id = $place", place=place)
    if own["kind"] == "country":
        st.header(own["name"], anchor="profile")
        facts = country_facts(place)
    else:
        st.header(f"{own['name']}, {own['country']}", anchor="profile")
        facts = [f"{own['population']:,.0f} inhabitants (GeoNames)"] if pd.notna(own["population"]) else []
    if price.empty:
        why = "no exchange rate of the year of its purchasing power parity" if own["parent_id"] != "USA" else "no figure"
        facts.append(f"price level: {why} was found")
    else:
        row = next(records(price))
        rate = f", exchange rate of {row.rate_year}" if pd.notna(row.rate_year) else ""
        facts.append(
            f"price level {shown(row)} where the United States have 100 ({row.area}, {row.period}{rate}, {row.publisher})"
        )
    st.markdown(plain("; ".join(facts) + "."))
    if own["kind"] == "country":
        cities = ask(
            "SELECT entity_id, city FROM hub_profile WHERE country_id = $place ORDER BY metrics DESC, city LIMIT $most",
            place=place,
            most=MOST_CITIES_LINKED,
        )
        if len(cities):
            links(dict(zip(cities["entity_id"], cities["city"], strict=True)), "cities")


def country_facts(place: str) -> list[str]:
    """Size of a country and its economy, each with its year."""
    row = ask("SELECT * FROM country_profile WHERE entity_id = $place", place=place).iloc[0]
    facts = []
    if pd.notna(row["population"]):
        facts.append(f"{row['population'] / 1e6:,.1f} million inhabitants ({row['population_year']:.0f})")
    if pd.notna(row["gdp_per_head_usd"]):
        facts.append(f"${row['gdp_per_head_usd']:,.0f} of GDP per head ({row['gdp_year']:.0f}, World Bank)")
    return facts


def figure_table(place: str) -> None:
    """Every figure of the place: what, how much, when, which rank, which area, who says so."""
    rows = ask(
        "SELECT figure.*, same.rank, same.places FROM hub_figure AS figure JOIN ("
        "SELECT list_id, entity_id, rank() OVER (PARTITION BY list_id, place_kind ORDER BY shown_value DESC) AS rank, "
        "count(*) OVER (PARTITION BY list_id, place_kind) AS places FROM hub_figure) AS same USING (list_id, entity_id) "
        "WHERE entity_id = $place ORDER BY part IS NULL, part, list_label",
        place=place,
    )
    table = pd.DataFrame(
        [
            {
                "Figure": row.measure,
                "Value": shown(row)
                + ("" if row.shown_unit_id in {"usd_bn", "usd_per_year", "percent"} else f" {row.shown_unit}"),
                "Year": row.period,
                "Rank": f"{row.rank} of {row.places}" if row.places > 2 and row.shown_unit_id != "rank" else "",
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
            max_by(figure.value, figure.period) FILTER (metric_id = 'company_valuation') AS valuation_mn,
            max(figure.period) FILTER (metric_id = 'company_valuation') AS valued,
            max_by(figure.value, figure.period) FILTER (metric_id = 'company_funding') AS funding_mn,
            max(figure.period) FILTER (metric_id = 'company_funding') AS funded,
            max(source_card.url) AS url
        FROM company
        LEFT JOIN company_figure AS figure
            ON figure.entity_id = company.company_id AND figure.repeats_claim_id IS NULL AND figure.unit_id = 'usd_mn'
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
            "Valuation": [_money(v, when) for v, when in zip(rows["valuation_mn"], rows["valued"], strict=True)],
            "Funding": [_money(v, when) for v, when in zip(rows["funding_mn"], rows["funded"], strict=True)],
            "Address": rows["url"],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 320),
        column_config={"Founded": st.column_config.NumberColumn(format="%d"), **address_columns()},
        alt="Companies with their seat in the place",
        key="companies-of-place",
    )


def _money(value_mn: float, when: str) -> str:
    return f"{theme.usd_bn(value_mn / 1000)} ({str(when)[:4]})" if pd.notna(value_mn) else "no figure"


def pay(place: str) -> None:
    """What is said to be paid there, by role."""
    rows = ask(
        "SELECT * FROM salary_statement WHERE entity_id = $place AND NOT is_repeat AND attribution <> 'misquoted' "
        "ORDER BY year DESC NULLS LAST, role, statistic LIMIT 60",
        place=place,
    )
    if rows.empty:
        st.caption("No published pay statement by role names this place; averages by list stand among the figures.")
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


def rank_table(filters: RankingFilters) -> None:
    """The whole ranking in words: what a reader of the chart sees, for those who cannot see it."""
    chart_sql = ranking_chart_sql(filters)
    table = ranked(chart_sql, filters)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Rank": int(row.rank),
                    "City": row.city,
                    "Country": row.country,
                    "With weights moved by ±50%": span(row.low_weights, row.high_weights),
                    "With one source left out": span(row.low_sources, row.high_sources),
                    "Points": round(row.total),
                    **{name: getattr(row, part) for part, name in PARTS.items()},
                    "No figure": ", ".join(missing_parts(row, filters)).lower(),
                    "Not ranked without": ", ".join(row.needs),
                }
                for row in table.itertuples()
            ]
        ),
        hide_index=True,
        height=420,
        column_config={name: st.column_config.NumberColumn(format="%.0f") for name in PARTS.values()},
        alt="The ranking with the range of each rank and what is missing",
        key="ranks",
    )
