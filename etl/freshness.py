"""How old the figures of each live source are, when it is due, and what came of the last attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from etl.ledger import Ledger
from etl.package import read_package
from etl.settings import Settings
from etl.sources.catalogue import LiveSource, read_catalogue
from etl.sources.connector import Connector
from etl.sources.registry import CONNECTORS

# A source is overdue once it is late by this share of its rhythm, and by a day at least: schedules drift.
GRACE = 0.25
LEAST_GRACE = timedelta(days=1)
_LAST = """
SELECT source, outcome, reason, retry_at, ended
FROM source_run
WHERE (source, run_id) IN (
    SELECT source, max(run_id) FROM source_run WHERE outcome IS NOT NULL GROUP BY source
)
"""
_LAST_SUCCESS = """
SELECT source, max(ended) AS ended
FROM source_run
WHERE outcome IN ('new', 'unchanged', 'partial')
GROUP BY source
"""


@dataclass(frozen=True)
class Freshness:
    """One publication of a live source.

    Attributes:
        source_id: None where the source has no row in the table live_source.
        licence: its name.
        rhythm_days: how often it is published; None where it is read once.
        last_success: when its answers were last taken, whether they held anything new or not.
        age: time since then.
        next_due: when there may be something new; None where it was never read or has no rhythm.
        last_outcome: new, unchanged, partial, deferred or failed; None where it was never asked.
        reason: why the last attempt did not succeed, or not wholly.
        retry_at: when it may be asked again, where it said so.
    """

    source_id: str | None
    connector: str
    title: str
    publisher: str | None
    licence: str | None
    rhythm_days: int | None
    is_optional: bool
    last_success: datetime | None
    age: timedelta | None
    next_due: datetime | None
    is_overdue: bool
    last_outcome: str | None
    last_tried: datetime | None
    reason: str | None
    retry_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values; the age in seconds."""
        values = asdict(self)
        values["age"] = None if self.age is None else self.age.total_seconds()
        return {
            name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for name, value in values.items()
        }


def is_late(age: timedelta, rhythm_days: int) -> bool:
    """Whether something of that age should have come anew, given its rhythm."""
    rhythm = timedelta(days=rhythm_days)
    return age > rhythm + max(rhythm * GRACE, LEAST_GRACE)


def freshness(
    settings: Settings,
    now: datetime,
    connectors: Mapping[str, Connector] = CONNECTORS,
    publications: Iterable[LiveSource] | None = None,
) -> list[Freshness]:
    """One row for each publication that live sources read, in the order of the sources.

    Args:
        settings: name the data package and the home.
        now: with its time zone.
        connectors: the sources there are.
        publications: what they read, for who has it at hand; else it is looked up in the data package.
    """
    if publications is None:
        publications = read_catalogue(read_package(settings.data)).sources.values()
    known, ledger = list(publications), Ledger(settings.home)
    last = {row["source"]: row for row in ledger.query(_LAST)}
    succeeded = {row["source"]: _moment(row["ended"]) for row in ledger.query(_LAST_SUCCESS)}
    rows = []
    for connector in connectors.values():
        tried = last.get(connector.name, {})
        success = succeeded.get(connector.name)
        sources: list[LiveSource | None] = [each for each in known if each.connector == connector.name]
        for source in sources or [None]:
            rhythm = source.rhythm_days if source else None
            due = success + timedelta(days=rhythm) if success and rhythm else None
            rows.append(
                Freshness(
                    source.source_id if source else None,
                    connector.name,
                    source.title if source else connector.title,
                    source.publisher if source else None,
                    source.licence if source else None,
                    rhythm,
                    connector.is_optional,
                    success,
                    now - success if success else None,
                    due,
                    bool(success and rhythm and is_late(now - success, rhythm)),
                    tried.get("outcome"),
                    _moment(tried.get("ended")),
                    tried.get("reason"),
                    _moment(tried.get("retry_at")),
                )
            )
    return rows


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
