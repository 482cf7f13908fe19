"""Indeed Hiring Lab: the share of job postings that are about AI, daily, by country.

One file, revised as a whole with each monthly edition. Figures are means of years, as in the shipped table.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from statistics import fmean

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State

SOURCE = "live-indeed-ai-tracker"
_POSTINGS = Request(
    "AI_posting.csv",
    "/hiring-lab/ai-tracker/main/AI_posting.csv",
    media="csv",
    about=800_000,
    largest=20 * MEGABYTE,
)
_COLUMNS = ("date", "jobcountry", "AI_share_postings")


def plan(_: State) -> Sequence[Request]:
    """The one file."""
    return [_POSTINGS]


def parse(state: State) -> Parsed:
    """Means of the daily shares by country and year; the running year is partial."""
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    unmapped: dict[str, int] = defaultdict(int)
    last = date.min
    for row in csv.DictReader(state.answers[_POSTINGS.key].text.splitlines()):
        day, country, share = (row[name] for name in _COLUMNS)
        last = max(last, date.fromisoformat(day))
        entity = state.entities.get(country.casefold())
        if entity is None:
            unmapped[country] += 1
        elif share:
            shares[entity, day[:4]].append(float(share))
    observations = [
        _observation(entity, year, values, last) for (entity, year), values in sorted(shares.items())
    ]
    return Parsed(tuple(observations), {SOURCE: last.isoformat()}, dict(unmapped))


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """The file does not end in the future."""
    last = parsed.editions[SOURCE]
    return [f"the file ends on {last}, in the future"] if last > state.today.isoformat() else []


def _observation(entity: str, year: str, values: list[float], last: date) -> Observation:
    is_whole = year < f"{last:%Y}" or (last.month, last.day) == (12, 31)
    return Observation(
        source_id=SOURCE,
        metric_id="ai_job_posting_share",
        entity_id=entity,
        period=year,
        value=round(fmean(values), 4),
        unit_id="percent",
        series="Indeed",
        status="actual" if is_whole else "partial",
        basis="computed from published figures",
        vintage=last.isoformat(),
        note="Mean of the daily seven-day trailing shares"
        + ("." if is_whole else f", to {last.isoformat()}."),
    )


CONNECTOR = Connector(
    name="indeed",
    title="Indeed Hiring Lab",
    bases={"": "https://raw.githubusercontent.com"},
    plan=plan,
    parse=parse,
    check=check,
)
