"""All live sources by name, in the order in which people meet them."""

from __future__ import annotations

from etl.sources import (
    aijobs,
    clickhouse,
    epoch,
    epoch_companies,
    frankfurter,
    geonames,
    github,
    hackernews,
    huggingface,
    indeed,
    microsoft,
    oews,
    openalex,
    owid,
    pypistats,
    stackoverflow,
    toppypi,
    wikimedia,
    worldbank,
)
from etl.sources.connector import Connector

CONNECTORS: dict[str, Connector] = {
    each.CONNECTOR.name: each.CONNECTOR
    for each in (
        clickhouse,
        epoch,
        epoch_companies,
        github,
        hackernews,
        huggingface,
        indeed,
        openalex,
        owid,
        pypistats,
        toppypi,
        wikimedia,
        epoch,
        epoch_companies,
        worldbank,
        oews,
        microsoft,
        frankfurter,
        geonames,
        aijobs,
        stackoverflow,
    )
}
