"""top-pypi-packages: downloads of the month before, of the 15,000 most downloaded packages, in one file.

The same list as the shipped figures come from; its older months are no longer there, so what was read stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State
from etl.sources.months import days_in, later, month_of

SOURCE = "live-top-pypi-packages"
# The list has 15,000 packages; one that is much shorter is not whole.
LEAST_PACKAGES = 10_000
POPULATION = "Python package downloads, all installers"
_LIST = Request(
    "top-pypi-packages.min.json",
    "/top-pypi-packages/top-pypi-packages.min.json",
    about=800_000,
    largest=20 * MEGABYTE,
)


def plan(_: State) -> Sequence[Request]:
    """The one file."""
    return [_LIST]


def parse(state: State) -> Parsed:
    """Downloads of the packages that are asked for."""
    document = state.answers[_LIST.key].document
    counts = {row["project"]: int(row["download_count"]) for row in document["rows"]}
    day = _day(state)
    month = later(month_of(day), -1)
    observations: list[Observation] = []
    missing = {}
    for target in state.targets:
        if target.target not in counts:
            missing[f"package: {target.target}"] = 1
            continue
        observations.append(
            Observation(
                source_id=SOURCE,
                metric_id="monthly_downloads",
                entity_id=str(target.entity_id),
                period=f"{month:%Y-%m}",
                value=float(counts[target.target]),
                unit_id="downloads",
                population=POPULATION,
                series=f"package: {target.target}",
                vintage=day.isoformat(),
                as_of=day.isoformat(),
                window_days=days_in(month),
                note="Calendar month.",
            )
        )
    return Parsed(tuple(observations), {SOURCE: day.isoformat()}, missing)


def check(state: State, _: Parsed) -> Sequence[str]:
    """The list is whole, and of today or earlier."""
    document, found = state.answers[_LIST.key].document, []
    if _day(state) > state.today:
        found.append(f"the list is of {_day(state)}, in the future")
    if len(document["rows"]) != document["total_rows"]:
        found.append(f"the list says {document['total_rows']:,} rows and holds {len(document['rows']):,}")
    if len(document["rows"]) < LEAST_PACKAGES:
        found.append(f"the list has {len(document['rows']):,} packages only")
    return found


def _day(state: State) -> date:
    return date.fromisoformat(state.answers[_LIST.key].document["last_update"][:10])


CONNECTOR = Connector(
    name="toppypi",
    title="top-pypi-packages",
    bases={"": "https://hugovk.dev"},
    plan=plan,
    parse=parse,
    check=check,
    keeps_history=True,
)
