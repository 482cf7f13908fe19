"""What the data package says of live sources: the publications, what to ask for, the names of entities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from etl.package import DataPackage
from etl.sources.connector import Target


@dataclass(frozen=True)
class LiveSource:
    """One row of the table live_source: a publication that is read again and again.

    Attributes:
        dataset: the table whose figures it goes on with.
        rhythm_days: how often it is published, roughly.
        restates: whether each edition revises the past.
        publisher: its name.
        licence: the name of its terms.
    """

    source_id: str
    connector: str
    dataset: str
    title: str
    url: str
    licence_id: str
    rhythm_days: int
    restates: bool
    publisher: str
    licence: str


@dataclass(frozen=True)
class MetricLimits:
    """What a value of a metric has to be like, and the factor of its unit to the base unit."""

    dimension: str
    currency: str
    factor: float
    least: float
    most: float


@dataclass(frozen=True)
class Catalogue:
    """The part of the data package that a refresh looks things up in."""

    sources: dict[str, LiveSource]
    targets: dict[str, tuple[Target, ...]]
    entities: dict[str, str]
    entity_ids: frozenset[str]
    units: dict[str, tuple[str, str, float]]
    metrics: dict[str, MetricLimits]

    def sources_of(self, connector: str) -> list[LiveSource]:
        """The publications that a connector reads."""
        return [source for source in self.sources.values() if source.connector == connector]


def read_catalogue(package: DataPackage) -> Catalogue:
    """Look up what a refresh needs; tables that are not there are empty."""
    units = {
        row["unit_id"]: (row["dimension"], row["currency"], float(row["factor"]))
        for row in _rows(package, "unit")
    }
    publishers = {row["publisher_id"]: row["name"] for row in _rows(package, "publisher")}
    licences = {row["licence_id"]: row["name"] for row in _rows(package, "licence")}
    targets = defaultdict(list)
    for row in _rows(package, "live_target"):
        targets[row["connector"]].append(Target(**{name: cell or None for name, cell in row.items()}))  # type: ignore[arg-type]  # required cells are not empty
    return Catalogue(
        {row["source_id"]: _source(row, publishers, licences) for row in _rows(package, "live_source")},
        {name: tuple(found) for name, found in targets.items()},
        _entity_names(package),
        frozenset(row["entity_id"] for row in _rows(package, "entity")),
        units,
        {row["metric_id"]: _limits(row, units) for row in _rows(package, "metric")},
    )


def _source(row: dict[str, str], publishers: dict[str, str], licences: dict[str, str]) -> LiveSource:
    return LiveSource(
        row["source_id"],
        row["connector"],
        row["dataset"],
        row["title"],
        row["url"],
        row["licence_id"],
        int(row["rhythm_days"]),
        row["restates"] == "true",
        publishers[row["publisher_id"]],
        licences[row["licence_id"]],
    )


def _limits(row: dict[str, str], units: dict[str, tuple[str, str, float]]) -> MetricLimits:
    dimension, currency, factor = units[row["unit_id"]]
    return MetricLimits(dimension, currency, factor, float(row["plausible_min"]), float(row["plausible_max"]))


def _entity_names(package: DataPackage) -> dict[str, str]:
    """Every name and code by which an entity is known, in small letters; its own id and name come first."""
    found: dict[str, str] = {}
    rows = list(_rows(package, "entity"))
    for row in rows:
        for name in (row["entity_id"], row["name"], row["iso2"], row["iso3"]):
            if name:
                found.setdefault(name.casefold(), row["entity_id"])
        if row["geonames_id"]:
            found[f"geonames {row['geonames_id']}"] = row["entity_id"]
    for row in rows:
        for name in row["also_known_as"].split(";"):
            if name.strip():
                found.setdefault(name.strip().casefold(), row["entity_id"])
    return found


def _rows(package: DataPackage, name: str) -> Iterator[dict[str, Any]]:
    table = next((table for table in package.tables if table.name == name), None)
    if table is not None:
        names = [declared["name"] for declared in table.fields]
        for _, cells in table.values(names):
            yield dict(zip(names, cells, strict=True))
