"""Loads the figures of live sources into a build and puts them in their place among the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from etl.errors import AtlasError, first_line
from etl.snapshots import LIVE, Snapshot
from etl.warehouse import quoted

# Name, title, what a row is.
TABLES: tuple[tuple[str, str, str], ...] = (
    (
        "live_observation",
        "Figures of live sources",
        "One row is one figure as a live source published it last.",
    ),
    (
        "live_snapshot",
        "Answers of live sources",
        "One row is one edition of a live source that was read.",
    ),
    ("live_unmapped", "Names not known", "One row is one name of a live source that no table knows."),
)
# Headings of the columns that no other table has.
TITLES = {
    "connector": "Live source",
    "snapshot": "Snapshot",
    "fetched": "Read on",
    "is_replay": "Comes from a test server",
    "name": "Name",
    "dataset": "Table",
    "place_id": "Place",
    "as_of": "Counted on",
    "window_days": "Days counted",
    "area_basis": "Area",
}
COLUMNS = {
    "claim_id": "VARCHAR PRIMARY KEY",
    "dataset": "VARCHAR NOT NULL",
    "metric_id": "VARCHAR NOT NULL",
    "entity_id": "VARCHAR NOT NULL",
    "period": "VARCHAR NOT NULL",
    "segment": "VARCHAR",
    "population": "VARCHAR",
    "series": "VARCHAR",
    "value": "DOUBLE NOT NULL",
    "bound": "VARCHAR",
    "unit_id": "VARCHAR NOT NULL",
    "status": "VARCHAR NOT NULL",
    "basis": "VARCHAR",
    "attribution": "VARCHAR NOT NULL",
    "relayed_by": "VARCHAR",
    "source_id": "VARCHAR NOT NULL",
    "vintage": "VARCHAR",
    "repeats_claim_id": "VARCHAR",
    "note": "VARCHAR",
    "place_id": "VARCHAR",
    "as_of": "DATE",
    "window_days": "BIGINT",
    "area_basis": "VARCHAR",
}
# Figures of metrics, entities or units that the data package does not know any more wait until it does again.
_FIGURES = """
INSERT INTO live_observation BY NAME
SELECT figure.* EXCLUDE (dataset), live_source.dataset
FROM read_parquet('{path}') AS figure
JOIN live_source USING (source_id)
WHERE metric_id IN (SELECT metric_id FROM metric)
    AND entity_id IN (SELECT entity_id FROM entity)
    AND unit_id IN (SELECT unit_id FROM unit)
"""
_SOURCE = """
INSERT INTO source BY NAME
SELECT
    source_id, publisher_id, title, $edition AS published, url, carrier, 'dataset' AS kind, true AS opened,
    licence_id, note
FROM live_source
WHERE source_id = $source_id
"""
# A live figure with the coordinates of a shipped one by the same publisher is that figure read again: with
# the same value it adds nothing; with another the newer edition takes the place of the older one.
_MATCHES = """
CREATE TEMP TABLE read_again AS
SELECT
    live.claim_id AS live_claim_id,
    shipped.claim_id AS shipped_claim_id,
    live.value = shipped.value AND live.unit_id = shipped.unit_id AS is_same,
    coalesce(live_source.published >= shipped_source.published, true) AS is_newer
FROM live_observation AS live
JOIN source AS live_source USING (source_id)
JOIN shipped_observation AS shipped
    ON shipped.metric_id = live.metric_id
    AND shipped.entity_id = live.entity_id
    AND shipped.period = live.period
    AND shipped.segment IS NOT DISTINCT FROM live.segment
    AND shipped.population IS NOT DISTINCT FROM live.population
    AND shipped.series IS NOT DISTINCT FROM live.series
    AND shipped.place_id IS NOT DISTINCT FROM live.place_id
JOIN source AS shipped_source
    ON shipped_source.source_id = shipped.source_id AND shipped_source.publisher_id = live_source.publisher_id
WHERE shipped.repeats_claim_id IS NULL
"""
_OBSERVATION = """
CREATE TABLE observation AS
SELECT shipped.* REPLACE (coalesce(repeats_claim_id, restated.live_claim_id) AS repeats_claim_id)
FROM shipped_observation AS shipped
LEFT JOIN (
    SELECT shipped_claim_id, min(live_claim_id) AS live_claim_id
    FROM read_again
    WHERE NOT is_same AND is_newer
    GROUP BY shipped_claim_id
) AS restated ON restated.shipped_claim_id = shipped.claim_id
UNION ALL BY NAME
SELECT live.* REPLACE (outdated.shipped_claim_id AS repeats_claim_id)
FROM live_observation AS live
LEFT JOIN (
    SELECT live_claim_id, min(shipped_claim_id) AS shipped_claim_id
    FROM read_again
    WHERE NOT is_same AND NOT is_newer
    GROUP BY live_claim_id
) AS outdated ON outdated.live_claim_id = live.claim_id
WHERE claim_id NOT IN (SELECT live_claim_id FROM read_again WHERE is_same)
"""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of TABLES, empty."""
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE live_observation ({declared})")
    connection.execute(
        "CREATE TABLE live_snapshot (source_id VARCHAR PRIMARY KEY, connector VARCHAR NOT NULL, "
        "snapshot VARCHAR NOT NULL, edition VARCHAR, fetched TIMESTAMP NOT NULL, is_replay BOOLEAN NOT NULL)"
    )
    connection.execute("CREATE TABLE live_unmapped (connector VARCHAR, name VARCHAR, records BIGINT)")


def stage_live(connection: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot]) -> None:
    """Load the live snapshots among these; their sources join the table source.

    Of imported ones those that come from a test server are listed, since they are nobody's records.

    Raises:
        AtlasError: a snapshot is damaged.
    """
    create_tables(connection)
    for snapshot in snapshots:
        if snapshot.is_live:
            _stage(connection, snapshot)
        elif snapshot.manifest.get("is_replay"):
            values = [snapshot.source, snapshot.source, snapshot.snapshot_id, snapshot.manifest["fetched"]]
            connection.execute("INSERT INTO live_snapshot VALUES (?, ?, ?, NULL, ?, true)", values)


def place_among(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table observation of the temporary table shipped_observation and the live figures."""
    for name, kind in COLUMNS.items():
        column = f"{name} {kind.split()[0]}"
        connection.execute(f"ALTER TABLE shipped_observation ADD COLUMN IF NOT EXISTS {column}")
    connection.execute(_MATCHES)
    connection.execute(_OBSERVATION)
    connection.execute("DROP TABLE read_again; DROP TABLE shipped_observation")


def _stage(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    manifest, connector = snapshot.manifest, snapshot.source.removeprefix(LIVE)
    known = {
        source_id
        for (source_id,) in connection.execute(
            "SELECT source_id FROM live_source WHERE connector = ?", [connector]
        ).fetchall()
    }
    for source_id, edition in manifest["editions"].items():
        if source_id in known:
            connection.execute(_SOURCE, {"source_id": source_id, "edition": edition})
            values = [
                source_id,
                connector,
                manifest["snapshot"],
                edition,
                manifest["fetched"],
                manifest["is_replay"],
            ]
            connection.execute("INSERT INTO live_snapshot VALUES (?, ?, ?, ?, ?, ?)", values)
    try:
        connection.execute(_FIGURES.format(path=quoted(snapshot.content)))
    except duckdb.Error as error:
        raise AtlasError(
            f"{snapshot.content} cannot be loaded ({first_line(error)}); refresh {connector} again."
        ) from error
    for name, count in manifest["unmapped"].items():
        connection.execute("INSERT INTO live_unmapped VALUES (?, ?, ?)", [connector, name, count])
