"""Salaries of ai-jobs.net: one file of records, handed to the reader of `genai-atlas import aijobs`."""

from __future__ import annotations

from collections.abc import Sequence

from etl.sources.connector import MEGABYTE, Connector, Parsed, Request, State

_SALARIES = Request(
    "salaries.csv",
    "/foorilla/ai-jobs-net-salaries/main/salaries.csv",
    media="csv",
    about=9_000_000,
    largest=200 * MEGABYTE,
)


def plan(_: State) -> Sequence[Request]:
    """The one file."""
    return [_SALARIES]


def parse(_: State) -> Parsed:
    """No figures: records become cells, which the reader makes."""
    return Parsed((), {})


CONNECTOR = Connector(
    name="aijobs",
    title="ai-jobs.net salaries",
    bases={"": "https://raw.githubusercontent.com"},
    plan=plan,
    parse=parse,
    reader="aijobs",
)
