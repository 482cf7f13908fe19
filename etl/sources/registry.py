"""All live sources by name, in the order in which people meet them."""

from __future__ import annotations

from etl.sources import (
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
    records,
    stackoverflow,
    toppypi,
    wikimedia,
    worldbank,
)
from etl.sources.connector import Connector

_FIGURES = (
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
    worldbank,
    oews,
    microsoft,
    frankfurter,
    geonames,
)

CONNECTORS: dict[str, Connector] = {
    each.name: each
    for each in (
        *(module.CONNECTOR for module in _FIGURES),
        *records.CONNECTORS,
        stackoverflow.CONNECTOR,
    )
}
