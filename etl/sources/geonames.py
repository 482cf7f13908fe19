"""GeoNames: populations of the cities of our list, matched by their GeoNames number, read once a year."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State

SOURCE = "live-geonames-cities"
_FILE = "cities15000"
# Places in a line: the file has no header.
_NUMBER, _POPULATION, _EDITED, _COLUMNS = 0, 14, 18, 19


def plan(state: State) -> Sequence[Request]:
    """One file, once a year: it changes daily, and a city does not."""
    return [_cities(state)]


def parse(state: State) -> Parsed:
    """Populations as the records state them; the day is that on which a record was edited last."""
    with zipfile.ZipFile(io.BytesIO(state.answers[_cities(state).key].body)) as packed:
        text = packed.read(f"{_FILE}.txt").decode("utf-8")
    rows, last = [], ""
    for line in csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(line) != _COLUMNS:
            raise ValueError(f"a line has {len(line)} columns, not {_COLUMNS}")
        last = max(last, line[_EDITED])
        entity = state.entities.get(f"geonames {line[_NUMBER]}")
        if entity and int(line[_POPULATION]) > 0:
            rows.append(
                Observation(
                    source_id=SOURCE,
                    metric_id="city_population",
                    entity_id=entity,
                    period=line[_EDITED],
                    value=int(line[_POPULATION]),
                    unit_id="people",
                    vintage=line[_EDITED],
                    area_basis="city",
                    note="GeoNames does not say for which year; the date is that of the last edit.",
                )
            )
    return Parsed(tuple(rows), {SOURCE: last})


def _cities(state: State) -> Request:
    return Request(
        f"{_FILE}.zip in {state.today:%Y}",
        f"/export/dump/{_FILE}.zip",
        media="zip",
        is_final=True,
        about=3_000_000,
        largest=50 * MEGABYTE,
    )


CONNECTOR = Connector(
    name="geonames",
    title="GeoNames",
    bases={"": "https://download.geonames.org"},
    plan=plan,
    parse=parse,
)
