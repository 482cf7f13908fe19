"""Hubs: cities on a map, the profile of one place, the reader's own ranking, cities side by side."""

import pandas as pd
import streamlit as st

from dashboard.app_pages import hub_profile
from dashboard.charts.hub_compare import CompareFilters
from dashboard.charts.hub_figures import PlaceFilters
from dashboard.charts.hub_map import PAID, Paid
from dashboard.charts.hub_ranking import PARTS
from dashboard.charts.hub_ranks import RankingFilters, missing_parts, ranked, span
from dashboard.charts.marks import records
from dashboard.components import chart_card, chart_pair, color_mode, filter_bar, page_head, read_on
from dashboard.warehouse import ask, view

# The places that readers ask for first: one click each.
QUICK = ("london-gb", "san-francisco-us", "bengaluru-in", "USA", "IND", "GBR", "CAN", "DEU")
OF_RANKING = [name for name in RankingFilters.model_fields if name not in PlaceFilters.model_fields]


def go_to_mark(data: list[str]) -> None:
    """Move the choice of the place to the city of the mark that was clicked."""
    if len(data) > 2:
        hub_profile.go_to(data[2])


def rank_table(filters: RankingFilters) -> None:
    """The whole ranking in words, for those who want every rank or cannot see the chart."""
    frame = view("hub-ranking", filters.model_dump_json(), color_mode()).frame
    rows = [
        {
            "Rank": int(row.rank),
            "City": row.city,
            "Country": row.country,
            "With weights moved by ±50%": span(row.low_weights, row.high_weights),
            "With one source left out": span(row.low_sources, row.high_sources),
            "Points": row.total,
            **{name: getattr(row, part) for part, name in PARTS.items()},
            "No figure": ", ".join(missing_parts(row, filters)).lower(),
            "Not ranked without": ", ".join(row.needs),
        }
        for row in records(ranked(frame, filters))
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=420,
        column_config={
            name: st.column_config.NumberColumn(format="%.0f") for name in ("Points", *PARTS.values())
        },
        placeholder="no figure",
        alt="The ranking with the range of each rank and what is missing",
        key="ranks",
    )


class SideFilters(CompareFilters):
    """What the two charts at the end of the page show."""

    paid: Paid = PAID


first = ask(
    """
    WITH judged AS (
        SELECT
            place,
            list_id,
            count(*) OVER list AS cities,
            rank() OVER (list ORDER BY shown_value DESC) AS rank
        FROM hub_figure
        WHERE place_kind = 'city' AND list_id <> 'price-level' AND shown_unit_id <> 'rank'
        WINDOW list AS (PARTITION BY list_id)
    )
    SELECT place, count(*) AS firsts, (SELECT count(DISTINCT list_id) FROM judged WHERE cities >= 10) AS lists
    FROM judged WHERE cities >= 10 AND rank = 1
    GROUP BY place ORDER BY firsts DESC, place LIMIT 1
    """
).iloc[0]
known = ask(
    "SELECT count(*) AS cities, count(*) FILTER (country_id = 'USA') AS american FROM hub_profile"
).iloc[0]
page_head(
    "Which cities are the hubs of AI?",
    f"{first['place']} stands first in {first['firsts']} of the {first['lists']} lists that name ten cities "
    f"or more. {known['american']} of the {known['cities']} cities with a figure lie in the United States, "
    "where most is counted; that is not the same as where most happens.",
)
names = ask("SELECT entity_id, name FROM entity WHERE list_contains($quick, entity_id)", quick=list(QUICK))
by_id = dict(zip(names["entity_id"], names["name"], strict=True))
shared = filter_bar(PlaceFilters, "place")
hub_profile.links({place: by_id[place] for place in QUICK if place in by_id}, "quick")

chart_card("hub-map", shared, own=("size", "colour", "zoom"), on_click=go_to_mark)

hub_profile.head(shared["place"])
chart_card("hub-profile", shared, on_click=go_to_mark)
for label, key, draw in (
    ("Every figure, with year and source", "figures", hub_profile.figures),
    ("Companies there", "companies", hub_profile.companies),
    ("Pay by role", "pay", hub_profile.pay),
):
    section = st.expander(label, on_change="rerun", key=f"open_{key}", bind="query-params")
    if section.open:
        with section:
            draw(shared["place"])

st.header("Your own ranking", anchor="ranking")
weights = filter_bar(RankingFilters, "ranking", OF_RANKING)
chart_card("hub-ranking", shared | weights, on_click=go_to_mark)
ranks = st.expander("Every rank as a table", on_change="rerun", key="open_ranks", bind="query-params")
if ranks.open:
    with ranks:
        rank_table(RankingFilters.model_validate(shared | weights))

st.header("Side by side", anchor="side-by-side")
st.markdown(
    "The cost of living is that of the metropolitan area in the United States (price parities of the "
    "Bureau of Economic Analysis, rents included) and of the whole country elsewhere (World Bank). City "
    "indices such as Numbeo's and the pay data of Levels.fyi are often quoted, but their terms forbid "
    "passing them on: they are not shown here."
)
chart_pair("hub-compare", "hub-cost-and-pay", shared | filter_bar(SideFilters, "side"))

read_on(
    market="Market: where the money went, by country",
    sources="Sources: every publication behind the figures",
)
