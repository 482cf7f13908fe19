"""OpenAlex: research works that name generative AI, by year, in the world and by country of the authors.

Calls cost money of a daily allowance, and closed years move slowly: the three newest years are read again
after four weeks, older ones after a quarter. A work counts once for each country that its authors work in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from etl.sources.connector import Answer, Connector, Observation, Parsed, Request, Secret, State
from etl.sources.verdicts import TAKE, Reply, Verdict, judge_by_status

SOURCE = "live-openalex-works"
METRIC = "genai_publications"
FIRST_YEAR = 2018
SEARCH = 'title_and_abstract.search:"generative AI"|"large language model"|"diffusion model"'
NEW_YEARS = 3
AGAIN_DAYS, AGAIN_DAYS_OLD = 28, 90
GROUPS_A_PAGE, MOST_PAGES = 200, 5
# Dollars that a search is said to cost.
COST = 0.001
_WORLD = "all works by year"
_COUNTRY = "https://openalex.org/countries/"


def plan(state: State) -> Sequence[Request]:
    """The totals, and for each year that is due the next page of its countries."""
    requests = [] if _answer(state, _WORLD, AGAIN_DAYS) else [_totals(state.today)]
    for year in _years(state):
        _, following = _countries(state, year)
        requests += [following] if following else []
    return requests


def parse(state: State) -> Parsed:
    """Works by year and place; the running year is partial."""
    observations: list[Observation] = []
    unmapped: dict[str, int] = {}
    read = []
    for key, answer in _known(state).items():
        read.append(answer.fetched_at.date())
        for group in answer.document["group_by"]:
            if key == _WORLD:
                entity, year = "world", int(group["key"])
            else:
                code = str(group["key"]).removeprefix(_COUNTRY)
                entity, year = state.entities.get(code.casefold(), ""), int(key[-4:])
                if not entity:
                    unmapped[code] = unmapped.get(code, 0) + int(group["count"])
            if entity and group["count"]:
                observations.append(_observation(entity, year, int(group["count"]), answer))
    return Parsed(tuple(observations), {SOURCE: max(read).isoformat()} if read else {}, unmapped)


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """No country has more works than the world; a year with works has countries."""
    world = {each.period: each.value for each in parsed.observations if each.entity_id == "world"}
    found = [
        f"{each.entity_id} has more works in {each.period} than the world"
        for each in parsed.observations
        if each.value > world.get(each.period, each.value)
    ]
    for key, answer in state.answers.items():
        if answer.document["meta"]["count"] and not answer.document["group_by"] and ", page 1" in key:
            found.append(f"'{key}' has works and no groups")
    return found


def judge(reply: Reply) -> Verdict:
    """Counts that were cut short come with status 200; the allowance of the day ends at midnight UTC."""
    if reply.status == 429:
        reset = reply.headers.get("x-ratelimit-reset", "")
        if reset.isdigit():
            return Verdict("retry", "the allowance of the day is used up", float(reset))
    verdict = judge_by_status(reply)
    if verdict == TAKE and json.loads(reply.body).get("meta", {}).get("timed_out"):
        return Verdict("retry", "the counts are not complete, the search took too long")
    return verdict


def _totals(today: date) -> Request:
    years = f"{FIRST_YEAR}-{today.year}"
    return _request(_WORLD, "publication_year", years)


def _countries(state: State, year: int) -> tuple[dict[str, Answer], Request | None]:
    """The pages of the countries of one year, and the request for the next one if there is one.

    Pages of earlier runs stand in until they are due; what follows a page of this run is of this run.
    """
    days = AGAIN_DAYS if year > state.today.year - NEW_YEARS else AGAIN_DAYS_OLD
    known: dict[str, Answer] = {}
    cursor = "*"
    for number in range(1, MOST_PAGES + 1):
        key = _page(number, year)
        is_anew = _page(1, year) in state.answers
        answer = state.answers.get(key) if is_anew else _answer(state, key, days)
        if answer is None:
            return known, _request(key, "authorships.countries", str(year), cursor)
        known[key] = answer
        cursor = answer.document["meta"].get("next_cursor") or ""
        if not cursor or not answer.document["group_by"]:
            break
    return known, None


def _years(state: State) -> range:
    return range(FIRST_YEAR, state.today.year + 1)


def _page(number: int, year: int) -> str:
    return f"countries, page {number}, {year}"


def _request(key: str, group_by: str, years: str, cursor: str | None = None) -> Request:
    params = (
        ("filter", f"{SEARCH},publication_year:{years}"),
        ("group_by", group_by),
        ("per_page", str(GROUPS_A_PAGE)),
        *((("cursor", cursor),) if cursor else ()),
    )
    return Request(key, "/works", params=params, about=20_000, cost=COST)


def _answer(state: State, key: str, days: int) -> Answer | None:
    """The answer of this run, or that of an earlier one if it is young enough."""
    stored = state.stored.get(key)
    is_young = stored is not None and (state.today - stored.fetched_at.date()).days < days
    return state.answers.get(key) or (stored if is_young else None)


def _known(state: State) -> dict[str, Answer]:
    """All answers that the figures come from."""
    world = _answer(state, _WORLD, AGAIN_DAYS)
    found = {_WORLD: world} if world else {}
    for year in _years(state):
        found |= _countries(state, year)[0]
    return found


def _observation(entity: str, year: int, count: int, answer: Answer) -> Observation:
    counted = "" if entity == "world" else " Each work counts once for each country of its authors."
    return Observation(
        source_id=SOURCE,
        metric_id=METRIC,
        entity_id=entity,
        period=str(year),
        value=float(count),
        unit_id="papers",
        population="works whose title or abstract names it",
        status="partial" if year >= answer.fetched_at.year else "actual",
        note=f"Query: {SEARCH}.{counted}",
    )


CONNECTOR = Connector(
    name="openalex",
    title="OpenAlex",
    bases={"": "https://api.openalex.org"},
    plan=plan,
    parse=parse,
    check=check,
    judge=judge,
    secret=Secret("OPENALEX_API_KEY", "query", "api_key", "ten times the daily allowance"),
    keeps_history=True,
    accepts_partial=True,
)
