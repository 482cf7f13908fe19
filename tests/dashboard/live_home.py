"""Homes whose figures come from a live source that a server of the test speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from etl.refresh import RefreshResult, World, refresh
from etl.settings import Settings
from tests.etl.replay import Replay, Reply

PATH = "/hiring-lab/ai-tracker/main/AI_posting.csv"
FIRST = 2010  # shares are invented, and of years that the source does not know


def edition(*years: int, factor: float = 1.0) -> str:
    """A file with a share for each of these years; `factor` is by how much all of them differ."""
    rows = (f"{year}-12-31,US,{(0.5 + (year - FIRST) / 4) * factor}\n" for year in years)
    return "date,jobcountry,AI_share_postings\n" + "".join(rows)


def refreshed(
    settings: Settings,
    server: Replay,
    body: str,
    *,
    age: timedelta = timedelta(),
    accept: bool = True,
    in_vain: Sequence[str] = (),
) -> RefreshResult:
    """Refresh from an edition, some time ago by the clock of the run; other sources are asked in vain."""
    server.on(PATH, Reply(body))
    names = ["indeed", *in_vain]
    bases = {f"GENAI_ATLAS_BASE_{name.upper()}": server.address for name in names}
    world = World(environment=bases, clock=lambda: datetime.now(UTC) - age)
    return refresh(settings, names, accept=accept, world=world)
