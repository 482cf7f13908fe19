"""What must hold of the figures of every live source before they take the place of the last ones."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from etl.sources.catalogue import Catalogue
from etl.sources.connector import Connector, Observation, Parsed, State

# Fewer rows than this share of the last ones is a broken answer until somebody says otherwise.
LEAST_SHARE_OF_ROWS = 0.8
MAX_TOLD = 3
_MAY_BE_ABOVE_ALL = re.compile("growth|effect|change")
_DAY = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_PERIOD = re.compile(r"(\d{4})(?:-(?:H([12])|Q([1-4])|(\d{2})(?:-(\d{2}))?))?")


def known_only(parsed: Parsed, catalogue: Catalogue) -> Parsed:
    """Without exact repeats, and without figures for entities that no table knows, which are counted."""
    unmapped = dict(parsed.unmapped)
    kept: dict[tuple[object, ...], Observation] = {}
    for each in parsed.observations:
        if each.entity_id in catalogue.entity_ids:
            kept.setdefault((each.coordinates, each.value, each.unit_id), each)
        else:
            unmapped[each.entity_id] = unmapped.get(each.entity_id, 0) + 1
    return replace(parsed, observations=tuple(kept.values()), unmapped=unmapped)


def problems(
    connector: Connector, state: State, parsed: Parsed, catalogue: Catalogue, *, accept: bool = False
) -> list[str]:
    """Sentences on what is wrong with the figures; none if they may be taken.

    With `accept`, somebody has looked at them: there may be fewer of them, or older ones, than before.
    """
    rows = parsed.observations
    if not rows:
        return ["the answers hold no figure"]
    found = [
        *_told("two different values for one figure", _contradictions(rows)),
        *_told("a name that no table knows", _unknown(connector, rows, catalogue)),
        *_told("a value that is not plausible", _implausible(rows, catalogue)),
        *_told("a share above 100 percent", _above_all(rows)),
        *_told("a period that has not begun", _ahead(rows, state.today)),
        *_told("a wrong date of the edition", _misdated(rows, parsed, state.today)),
        *connector.check(state, parsed),
    ]
    if state.previous and not connector.keeps_history and not accept:
        if len(rows) < LEAST_SHARE_OF_ROWS * len(state.previous):
            found.append(
                f"only {len(rows):,} figures where there were {len(state.previous):,} (--accept takes them)"
            )
        newest, before = (max(each.period for each in many) for many in (rows, state.previous))
        if _start(newest) < _start(before):
            found.append(f"the newest period is {newest}, and it was {before} (--accept takes them)")
    return found


def _told(what: str, cases: Iterator[str]) -> list[str]:
    """One sentence for all cases of a kind, with the first of them."""
    every = list(dict.fromkeys(cases))
    if not every:
        return []
    more = f" and {len(every) - MAX_TOLD:,} more" if len(every) > MAX_TOLD else ""
    return [f"{what}: {'; '.join(every[:MAX_TOLD])}{more}"]


def _words(row: Observation) -> str:
    parts = (row.metric_id, row.entity_id, row.period, row.segment, row.series)
    return ", ".join(part for part in parts if part)


def _contradictions(rows: Sequence[Observation]) -> Iterator[str]:
    first: dict[tuple[str, ...], Observation] = {}
    for row in rows:
        other = first.setdefault(row.coordinates, row)
        if (other.value, other.unit_id) != (row.value, row.unit_id):
            yield f"{_words(row)} is {other.value:.15g} and {row.value:.15g}"


def _unknown(connector: Connector, rows: Sequence[Observation], catalogue: Catalogue) -> Iterator[str]:
    sources = {source.source_id for source in catalogue.sources_of(connector.name)}
    for row in rows:
        for name, known in (
            (row.source_id, sources),
            (row.metric_id, catalogue.metrics.keys()),
            (row.unit_id, catalogue.units.keys()),
        ):
            if name not in known:
                yield name


def _implausible(rows: Sequence[Observation], catalogue: Catalogue) -> Iterator[str]:
    for row in rows:
        limits, unit = catalogue.metrics.get(row.metric_id), catalogue.units.get(row.unit_id)
        if limits is None or unit is None:
            continue
        dimension, currency, factor = unit
        in_metric = row.value * factor / limits.factor
        is_other_unit = dimension != limits.dimension or not math.isfinite(row.value)
        is_far = currency == limits.currency and not limits.least <= in_metric <= limits.most
        if is_other_unit or is_far:
            yield f"{_words(row)} is {row.value:.15g} {row.unit_id}"


def _ahead(rows: Sequence[Observation], today: date) -> Iterator[str]:
    for row in rows:
        if row.status != "forecast" and _start(row.period) > today:
            yield _words(row)


def _above_all(rows: Sequence[Observation]) -> Iterator[str]:
    """Shares of a whole; the rule of the build of the same name says which these are."""
    for row in rows:
        if row.unit_id == "percent" and row.value > 100 and not _MAY_BE_ABOVE_ALL.search(row.metric_id):
            yield f"{_words(row)} is {row.value:.15g}"


def _misdated(rows: Sequence[Observation], parsed: Parsed, today: date) -> Iterator[str]:
    """Each source of the figures has an edition, dated by the year, month or day, not in the future."""
    for source_id in sorted({row.source_id for row in rows}):
        told = parsed.editions.get(source_id, "")
        if not _DAY.fullmatch(told):
            yield f"'{told}' of {source_id}"
        elif told > today.isoformat():
            yield f"{told} of {source_id} is in the future"


def _start(period: str) -> date:
    """The first day of a period; of a range, of its end."""
    found = _PERIOD.fullmatch(period.rsplit("/", 1)[-1])
    if found is None:
        raise ValueError(f"'{period}' is no period")
    year, half, quarter, month, day = found.groups()
    if half:
        return date(int(year), 6 * int(half) - 5, 1)
    if quarter:
        return date(int(year), 3 * int(quarter) - 2, 1)
    return date(int(year), int(month or 1), int(day or 1))
