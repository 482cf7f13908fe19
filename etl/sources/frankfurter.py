"""Frankfurter: the reference rates of the European Central Bank, as means of years against the US dollar.

Closed years are asked for once. A rate stands for each country that has the currency from the first year on,
so that it takes its place among the rates of other publishers and conversions may use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from etl.sources.connector import Connector, Observation, Parsed, Request, State

SOURCE = "live-ecb-exchange-rates"
FIRST_YEAR = 2015


def plan(state: State) -> Sequence[Request]:
    """One request a year; the running one to today."""
    closed = [_year(f"{year}", f"{year}-12-31", is_final=True) for year in _closed(state)]
    return [*closed, _year(_running(state), state.today.isoformat())]


def parse(state: State) -> Parsed:
    """Means of the daily rates by year, of currencies that have a rate on every day of it."""
    rows = [row for year in _closed(state) for row in _means(str(year), str(year), state)]
    rows += _means(_running(state), f"{state.today:%Y}", state)
    last = max(max(answer.document["rates"], default="") for answer in state.answers.values())
    return Parsed(tuple(rows), {SOURCE: last})


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """The answers are in units for one dollar, and every currency that is asked for has a rate."""
    bases = {f"{each.document['amount']:g} {each.document['base']}" for each in state.answers.values()}
    told = {each.entity_id for each in parsed.observations}
    missing = sorted({target.target for target in state.targets if target.entity_id not in told})
    return [
        *(f"the rates are for {base}" for base in sorted(bases - {"1 USD"})),
        *([f"there is no rate of {', '.join(missing)}"] if missing else []),
    ]


def _closed(state: State) -> range:
    return range(FIRST_YEAR, state.today.year)


def _running(state: State) -> str:
    return f"{state.today:%Y} to date"


def _year(key: str, end: str, *, is_final: bool = False) -> Request:
    return Request(key, f"/v1/{end[:4]}-01-01..{end}", (("base", "USD"),), is_final=is_final, about=150_000)


def _means(key: str, year: str, state: State) -> Iterator[Observation]:
    days = {day: rates for day, rates in state.answers[key].document["rates"].items() if day[:4] == year}
    is_partial = key != year
    for target in state.targets:
        currency = target.target.split()[0]
        values = [rates[currency] for rates in days.values() if currency in rates]
        if values and len(values) == len(days):
            last = max(days)
            yield Observation(
                source_id=SOURCE,
                metric_id="exchange_rate",
                entity_id=str(target.entity_id),
                period=year,
                series="annual average",
                value=round(fmean(values), 6),
                unit_id="lcu_per_usd",
                status="partial" if is_partial else "actual",
                basis="computed from published figures",
                relayed_by="Frankfurter",
                vintage=last,
                note=f"Mean of {len(values)} daily reference rates of {currency}, to {last}.",
            )


CONNECTOR = Connector(
    name="frankfurter",
    title="Frankfurter, rates of the European Central Bank",
    bases={"": "https://api.frankfurter.dev"},
    plan=plan,
    parse=parse,
    check=check,
)
