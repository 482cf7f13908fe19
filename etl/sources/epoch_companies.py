"""Epoch AI: what is reported of AI companies: revenue, money raised, valuation, staff, users.

Only companies of our list. Dates may be a year, a month or a day and stay as precise as they are. Where two
reports differ for one company and day, both stand, told apart by who reported them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State
from etl.sources.epoch import company_of, records

SOURCE = "live-epoch-ai-companies-{}"
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_WHOLE = {"", "full company", "company", "total"}
# All of a company that works on AI, where that is a company of our list itself.
_DIVISION = "full ai division"
_CLOSED = {"", "closed", "completed"}
_YES = {"true", "1", "yes", "checked"}
Row = Mapping[str, str]


def plan(_: State) -> Sequence[Request]:
    """One file for each kind of report."""
    return [
        Request(
            f"ai_companies_{name}.csv",
            f"/data/ai_companies_{name}.csv",
            media="csv",
            about=50_000,
            largest=10 * MEGABYTE,
        )
        for name in _FILES
    ]


def parse(state: State) -> Parsed:
    """All reports on companies that we know; names and dates that we do not are counted."""
    found: list[Observation] = []
    editions, unmapped = {}, Counter[str]()
    for name, (columns, read) in _FILES.items():
        rows = list(
            _known(records(state.answers[f"ai_companies_{name}.csv"].text, *columns), state, unmapped)
        )
        source = SOURCE.format(name.split("_")[0])
        rows_of_source = [replace(each, source_id=source) for each in _told_apart(read(rows))]
        edition = max((_read_on(row) for _, row in rows), default=state.today.isoformat())
        editions[source] = min(edition, state.today.isoformat())
        found += [_dated(each, state) for each in rows_of_source]
    return Parsed(tuple(found), editions, dict(unmapped))


def _known(rows: Iterable[Row], state: State, unmapped: Counter[str]) -> Iterator[tuple[str, Row]]:
    """Rows of companies that we list, with the company; `Date` is their day whatever the file calls it."""
    for row in rows:
        company, when = row["Company"].strip(), (row.get("Date") or row.get("Close date") or "").strip()
        is_division = (row.get("Type") or "").strip().casefold() == _DIVISION
        division = company_of(row["Division name"].strip(), state.entities) if is_division else None
        entity = division or company_of(company, state.entities)
        if entity is None:
            unmapped[company] += 1
        elif _DATE.fullmatch(when):
            whole = {"Type": "", "Division name": ""} if division else {}
            yield entity, {**row, **whole, "Date": when}
        elif when:
            unmapped[f"date {when}"] += 1


def _read_on(row: Row) -> str:
    """When a report was made, or the day that it is about."""
    told = (row.get("Report date") or "").strip()
    return told if _DATE.fullmatch(told) else row["Date"]


def _revenue(rows: Iterable[tuple[str, Row]]) -> Iterator[Observation]:
    for entity, row in rows:
        if row["Annualized revenue (USD)"]:
            yield _report(entity, row, "company_revenue", "Annualized revenue (USD)", "usd", _scope(row))


def _funding(rows: Iterable[tuple[str, Row]]) -> Iterator[Observation]:
    """Valuations as reported, and the sum of the closed rounds up to each day on which one closed."""
    raised: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for entity, row in rows:
        if row["Status"].strip().casefold() not in _CLOSED:
            continue
        if row["Valuation (post-money)"]:
            yield _report(entity, row, "company_valuation", "Valuation (post-money)", "usd")
        if row["Funding (equity)"]:
            raised[entity][row["Date"]] += _number(row["Funding (equity)"])
    for entity, rounds in raised.items():
        total = 0.0
        for day in sorted(rounds):
            total += rounds[day]
            yield Observation(
                source_id="",
                metric_id="company_funding",
                entity_id=entity,
                period=day,
                value=round(total / 1e6, 6),
                unit_id="usd_mn",
                basis="computed from published figures",
                vintage=day,
                note="Sum of the closed equity rounds in the table, which may lack early ones.",
            )


def _staff(rows: Iterable[tuple[str, Row]]) -> Iterator[Observation]:
    """Whole companies; parts of them are other things."""
    for entity, row in rows:
        kind = (row.get("Type") or "").strip().casefold()
        if row["Staff count"] and kind in _WHOLE and not row["Division name"].strip():
            yield _report(entity, row, "company_staff", "Staff count", "people")


def _usage(rows: Iterable[tuple[str, Row]]) -> Iterator[Observation]:
    for entity, row in rows:
        if row["Active users"] and row["Exclude from graph view"].strip().casefold() not in _YES:
            how_often = row["Active users time period"].strip().casefold()
            found = _report(entity, row, "company_users", "Active users", "people", row["Product"].strip())
            yield replace(found, population=f"{how_often} active users" if how_often else None)


def _report(
    entity: str, row: Row, metric: str, column: str, unit: str, segment: str | None = None
) -> Observation:
    """One report as it stands; `series` holds its origin until it is known whether that tells it apart."""
    origin = next((row[name] for name in ("Source 1", "Source") if row.get(name)), "")
    kind = ", ".join(row[name].strip() for name in ("Source type", "Confidence") if row.get(name))
    return Observation(
        source_id="",
        metric_id=metric,
        entity_id=entity,
        period=row["Date"],
        segment=segment or None,
        series=urlsplit(origin.strip()).netloc.removeprefix("www.") or None,
        value=_number(row[column]),
        unit_id=unit,
        vintage=_read_on(row),
        note=f"{kind}: {origin}" if kind and origin else origin or kind or None,
    )


def _told_apart(rows: Iterable[Observation]) -> list[Observation]:
    """Reports without their origin, unless two differ in nothing else but the value."""
    alike: dict[tuple[str, ...], list[Observation]] = defaultdict(list)
    for row in rows:
        alike[replace(row, series=None).coordinates].append(row)
    found = []
    for group in alike.values():
        if len({each.value for each in group}) == 1:
            found.append(replace(group[0], series=None))
            continue
        origins = Counter(each.series for each in group)
        for each in group:
            same = origins[each.series] > 1
            found.append(replace(each, series=f"{each.series}, {each.value:,.0f}" if same else each.series))
    return found


def _dated(row: Observation, state: State) -> Observation:
    is_ahead = row.period > state.today.isoformat()[: len(row.period)]
    return replace(row, status="forecast") if is_ahead else row


def _scope(row: Row) -> str | None:
    """What part of the company a figure is about."""
    scope = row["Scope"].strip()
    return None if scope.casefold() in _WHOLE else scope


def _number(cell: str) -> float:
    return float(cell.replace(",", "").replace("$", ""))


_Reading = tuple[tuple[str, ...], Callable[[Sequence[tuple[str, Row]]], Iterator[Observation]]]
_FILES: dict[str, _Reading] = {
    "revenue_reports": (("Company", "Date", "Annualized revenue (USD)", "Scope"), _revenue),
    "funding_rounds": (
        ("Company", "Close date", "Status", "Funding (equity)", "Valuation (post-money)"),
        _funding,
    ),
    "staff_reports": (("Company", "Date", "Staff count", "Division name"), _staff),
    "usage_reports": (
        ("Company", "Date", "Active users", "Active users time period", "Product", "Exclude from graph view"),
        _usage,
    ),
}

CONNECTOR = Connector(
    name="epoch_companies",
    title="Epoch AI, companies",
    bases={"": "https://epoch.ai"},
    plan=plan,
    parse=parse,
)
