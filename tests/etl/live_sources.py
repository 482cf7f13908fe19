"""Tiny live sources for the tests of the core: a table of figures at one address, in several tempers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.ledger import Ledger
from etl.refresh import World
from etl.sources.connector import Connector, Observation, Parsed, Request, State
from tests.etl.package_copy import PackageCopy

EDITION = "1999-12-31"
METRIC, UNIT = "ai_job_posting_share", "percent"


def source_of(name: str) -> str:
    return f"live-{name.replace('_', '-')}-example"


def table(values: Mapping[str, Sequence[float]], first_year: int = 1990) -> str:
    """A file as the tiny sources send it: place, year, value."""
    rows = [
        f"{place},{first_year + position},{value}"
        for place, series in values.items()
        for position, value in enumerate(series)
    ]
    return "\n".join(["place,year,value", *rows]) + "\n"


def tiny(name: str, requests: Sequence[Request], **traits: Any) -> Connector:
    """A source that answers these requests, each with a table."""

    def parse(state: State) -> Parsed:
        rows = [
            _observation(name, row)
            for answer in state.answers.values()
            if not answer.is_missing
            for row in csv.DictReader(answer.text.splitlines())
        ]
        return Parsed(tuple(rows), {source_of(name): EDITION})

    return replace(
        Connector(name, f"The {name} source", {"": f"https://{name}.test"}, lambda _: requests, parse),
        **traits,
    )


def _observation(name: str, row: Mapping[str, str]) -> Observation:
    return Observation(
        source_id=source_of(name),
        metric_id=METRIC,
        entity_id=row["place"],
        period=row["year"],
        value=float(row["value"]),
        unit_id=UNIT,
        series=f"The {name} source",
    )


def register(package: PackageCopy, *names: str, restates: bool = False) -> None:
    """Declare these sources in the table live_source, as relatives of the one that ships."""
    model = next(row for row in package.rows("live/sources.csv") if row["connector"] == "indeed")
    for name in names:
        cells = {"source_id": source_of(name), "connector": name, "title": f"The {name} table"}
        package.add("live/sources.csv", **{**model, **cells, "restates": str(restates).lower()})


def world(server: str, *connectors: Connector, **traits: Any) -> World:
    """A world in which these are all the sources, spoken for by one server."""
    environment = {
        "_".join(part for part in ("GENAI_ATLAS_BASE", each.name.upper(), base.upper()) if part): server
        for each in connectors
        for base in each.bases
    }
    environment |= traits.pop("environment", {})
    return World(environment=environment, connectors={each.name: each for each in connectors}, **traits)


def asked_of(home: Path, source: str) -> list[dict[str, Any]]:
    """The requests of a source in the ledger, oldest first."""
    return Ledger(home).query("SELECT * FROM request WHERE source = ? ORDER BY run_id, started", source)
