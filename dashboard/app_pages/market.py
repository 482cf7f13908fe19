"""Market: what it is said to be worth, whether it adds up, where money goes, the reader's own scenario."""

from dashboard.charts.forecasts import PlacedFilters
from dashboard.components import chart_card, chart_pair, filter_bar, more, page_head, read_on
from dashboard.warehouse import ask

counted = ask(
    "SELECT count(*) AS claims, count(*) FILTER (is_repeat) AS repeats, "
    "count(DISTINCT publisher) FILTER (publisher <> 'Firm not named') AS publishers FROM forecast_path"
).iloc[0]
page_head(
    "How big is the market, and who says so?",
    f"{counted['claims']:,} published forecasts of {counted['publishers']} publishers are on record, "
    f"{counted['repeats']} of them repeats of another; each is drawn as it was printed.",
)
shared = filter_bar(PlacedFilters, "market")

chart_card("market-forecasts", shared, own=("highlight", "scale"))
chart_card("market-size-by-year", shared, own=("year",))
chart_pair("market-growth-rates", "market-arithmetic", shared)
chart_card("investment-by-year", shared, own=("funding", "place"))
chart_card("market-scenario", shared, own=("base", "growth", "horizon"))

if more("Show more: editions, segments, regions, investment by country"):
    chart_card("market-vintages", shared, own=("house",))
    chart_card("market-segments", shared)
    chart_card("market-regions", shared)
    chart_card("investment-by-country", shared, own=("raised", "funded"))

read_on(
    workforce="Workforce: the people behind the money",
    companies="Companies: who raised it",
)
