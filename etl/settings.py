"""Every setting of the pipeline: an environment variable GENAI_ATLAS_…; an option comes first."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from etl.errors import AtlasError

_PACKAGE = Path(__file__).resolve().parent
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _shipped_data() -> Path:
    """The claims of a checkout, or those packed into an installed wheel."""
    for folder in (_PACKAGE.parent / "data", _PACKAGE / "_data"):
        if (folder / "datapackage.yaml").is_file():
            return folder
    raise AtlasError("No data folder was found beside the program; name one with --data or GENAI_ATLAS_DATA.")


def duration(text: str) -> timedelta:
    """A time span as people write it: 30m, 24h, 7d.

    Raises:
        ValueError: it is none, or shorter than a minute.
    """
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    if not found or int(found[1]) == 0:
        raise ValueError(f"'{text}' is no time span; write 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _as_duration(value: object) -> object:
    return duration(value) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Where things are and how many builds are kept.

    Attributes:
        home: folder of the builds and of CURRENT.
        data: folder of the data package (datapackage.yaml).
        keep_builds: how many builds stay after a publication, the served one included.
        gate_changed_percent: how many of the figures of a live source may change for closed periods before a
            build is held back.
        allow_refresh: whether readers of the dashboard may start a refresh.
        refresh_every: how often the server refreshes by itself; never where it is None.
        demo: whether a build with figures from a test server may be served.
        public_url: where readers reach the dashboard, for the addresses in what they take away.
        base_path: the path under which everything is served, such as atlas; none by default.
    """

    model_config = SettingsConfigDict(env_prefix="GENAI_ATLAS_", env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: user_data_path("genai-atlas", appauthor=False))
    data: Path = Field(default_factory=_shipped_data)
    keep_builds: int = Field(default=5, ge=1)
    gate_changed_percent: float = Field(default=20.0, ge=0, le=100)
    allow_refresh: bool = False
    refresh_every: Annotated[timedelta | None, BeforeValidator(_as_duration)] = None
    demo: bool = False
    public_url: HttpUrl | None = None
    base_path: str = Field(default="", pattern=r"^/?([A-Za-z0-9._~-]+/?)*$")
