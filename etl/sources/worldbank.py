"""World Bank: population, product, labour force, prices and exchange rates of countries, year by year.

A small question tells when an indicator was updated; the indicator is read again when that day moved, as a
whole, because revisions reach back. Missing values are missing, not zero.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from etl.sources.connector import Connector, Observation, Parsed, Request, State, Target
from etl.sources.verdicts import Reply, Verdict, judge_by_status

FIRST_YEAR = 2015
_UNAVAILABLE = "105"
_UNITS = {
    "population": "people",
    "labour_force": "people",
    "gdp": "usd",
    "gdp_per_head": "usd",
    "ppp_factor": "lcu_per_intl_usd",
    "price_level_ratio": "times",
    "exchange_rate": "lcu_per_usd",
}
_SERIES = {"exchange_rate": "annual average"}


def plan(state: State) -> Sequence[Request]:
    """Which names are countries, when each indicator was updated, then those that were."""
    found = [_countries(state)]
    for target in state.targets:
        probe = _indicator(target, "updated", mrnev="1", per_page="1")
        found.append(probe)
        answer = state.answers.get(probe.key)
        if answer and not answer.is_missing:
            found += _pages(target, state, _updated(answer.document))
    return found


def parse(state: State) -> Parsed:
    """Values of countries; an indicator that is gone keeps its last ones, and its name is told."""
    rows: list[Observation] = []
    editions: dict[str, str] = {}
    unmapped: Counter[str] = Counter()
    countries = {
        each["id"]
        for each in state.answers[_countries(state).key].document[1]
        if each["region"]["value"].strip() != "Aggregates"
    }
    for target in state.targets:
        probe = state.answers[_indicator(target, "updated").key]
        requests = [] if probe.is_missing else _pages(target, state, _updated(probe.document))
        answers = [state.answers[each.key] for each in requests]
        if not answers or any(each.is_missing for each in answers):
            unmapped[f"indicator {target.target}"] += 1
            kept = [each for each in state.previous if each.source_id == target.source_id]
            rows += kept
            editions |= {each.source_id: each.vintage for each in kept if each.vintage}
            continue
        edition = _updated(probe.document)
        editions[str(target.source_id)] = edition
        for answer in answers:
            told = [each for each in answer.document[1] or () if each["countryiso3code"] in countries]
            rows += _figures(target, told, edition, state, unmapped)
    return Parsed(tuple(rows), editions, dict(unmapped))


def judge(reply: Reply) -> Verdict:
    """A web page passes, with 200 or 400; an error that is told as JSON stays, with 200 too."""
    start = reply.body[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if reply.status in {200, 400} and start[:9].lower().startswith((b"<html", b"<!doctype")):
        return Verdict("retry", "a web page in place of the answer")
    if message := _message(reply.body):
        number, words = message
        if number == _UNAVAILABLE:
            return Verdict("retry", words)
        return Verdict("missing", words) if reply.may_be_missing else Verdict("reject", words)
    return judge_by_status(reply)


def _countries(state: State) -> Request:
    return Request(
        f"countries in {state.today:%Y}",
        "/v2/country",
        (("format", "json"), ("per_page", "400")),
        is_final=True,
        about=100_000,
    )


def _indicator(target: Target, what: str, **params: str) -> Request:
    return Request(
        f"{target.target} {what}",
        f"/v2/country/all/indicator/{target.target}",
        (("format", "json"), *params.items()),
        may_be_missing=True,
        is_final=what != "updated",
        about=1_000 if what == "updated" else 700_000,
    )


def _pages(target: Target, state: State, edition: str) -> list[Request]:
    """All pages of an edition; how many there are is told by the first only."""
    years = f"{FIRST_YEAR}:{edition[:4]}"
    found = []
    for page in range(1, _count_of_pages(target, state, edition) + 1):
        asked = _indicator(target, f"of {edition}, page {page}", date=years, per_page="20000", page=str(page))
        found.append(asked)
    return found


def _count_of_pages(target: Target, state: State, edition: str) -> int:
    first = state.answers.get(f"{target.target} of {edition}, page 1")
    return int(first.document[0]["pages"]) if first and not first.is_missing else 1


def _updated(document: Any) -> str:
    """Day of the last update, as an answer tells it."""
    return str(document[0]["lastupdated"])


def _figures(
    target: Target, told: Sequence[Any], edition: str, state: State, unmapped: Counter[str]
) -> Iterator[Observation]:
    metric_id = str(target.metric_id)
    for each in told:
        entity = state.entities.get(each["countryiso3code"].casefold())
        if entity is None:
            unmapped[each["country"]["value"]] += 1
        elif each["value"] is not None:
            yield Observation(
                source_id=str(target.source_id),
                metric_id=metric_id,
                entity_id=entity,
                period=each["date"],
                series=_SERIES.get(metric_id),
                value=float(each["value"]),
                unit_id=_UNITS[metric_id],
                vintage=edition,
            )


def _message(body: bytes) -> tuple[str, str] | None:
    """Number and words of an error, which comes as a list with one object."""
    if b'"message"' not in body[:300]:
        return None
    try:
        (told,) = json.loads(body.decode("utf-8-sig"))[0]["message"][:1]
    except (ValueError, LookupError, TypeError):
        return None
    return str(told.get("id")), f"{told.get('key')}: {told.get('value')}"


CONNECTOR = Connector(
    name="worldbank",
    title="World Bank",
    bases={"": "https://api.worldbank.org"},
    plan=plan,
    parse=parse,
    judge=judge,
    seconds=90,
)
