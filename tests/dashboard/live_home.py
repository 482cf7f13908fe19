"""Homes whose figures come from a live source that a server of the test speaks for."""

from __future__ import annotations

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
    settings: Settings, server: Replay, body: str, *, age: timedelta = timedelta(), accept: bool = True
) -> RefreshResult:
    """Refresh from an edition, some time ago by the clock of the run."""
    server.on(PATH, Reply(body))
    world = World(
        environment={"GENAI_ATLAS_BASE_INDEED": server.address}, clock=lambda: datetime.now(UTC) - age
    )
    return refresh(settings, ["indeed"], accept=accept, world=world)
