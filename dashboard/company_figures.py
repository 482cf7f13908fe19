"""The figures of one company as its profile tells them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from dashboard.charts.companies import BOUNDS
from dashboard.charts.marks import spoken
from dashboard.components import plain
from dashboard.theme import exact, usd_bn


def by_age(known: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The newest figure of each kind by each who gives it, and the earlier ones, which may be dozens.

    Args:
        known: the figures of a company, of each kind the newest first.
    """
    newest = known.drop_duplicates(["metric_label", "segment", "population", "publisher"])
    return newest, known.drop(newest.index)


def in_words(figure: Any) -> str:
    """One figure as Markdown: its date, what part of the company it speaks of, and who says so."""
    relay = "" if figure.attribution == "primary" else ", relayed"
    if pd.notna(figure.relayed_by):
        relay = f", relayed by {figure.relayed_by}"
    # Money is harmonised to millions of US dollars.
    amount = (
        usd_bn(figure.harmonised_value / 1000)
        if figure.currency == "USD"
        else f"{exact(figure.value)} {figure.unit_label}"
    )
    value = f"{BOUNDS.get(figure.bound, '')}{amount}"
    whose = "".join(f", {part}" for part in (figure.segment, figure.population) if pd.notna(part))
    text = plain(
        f"{figure.metric_label}{whose}: {value}, {spoken(figure.period)} ({figure.publisher}{relay})."
    )
    return f"{text} {with_links(figure.note)}" if pd.notna(figure.note) else text


def with_links(note: str) -> str:
    """A note as Markdown whose addresses are links that read as the name of the host."""
    parts = re.split(r"(https?://[^\s;,]+)", note)
    return "".join(
        f"[{urlsplit(part).hostname}]({part})" if part.startswith("http") else plain(part) for part in parts
    )
