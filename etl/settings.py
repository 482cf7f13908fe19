"""Every setting of the pipeline: an environment variable GENAI_ATLAS_…; an option comes first."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from etl.errors import AtlasError

_PACKAGE = Path(__file__).resolve().parent


def _shipped_data() -> Path:
    """The claims of a checkout, or those packed into an installed wheel."""
    for folder in (_PACKAGE.parent / "data", _PACKAGE / "_data"):
        if (folder / "datapackage.yaml").is_file():
            return folder
    raise AtlasError("No data folder was found beside the program; name one with --data or GENAI_ATLAS_DATA.")


class Settings(BaseSettings):
    """Where things are and how many builds are kept.

    Attributes:
        home: folder of the builds and of CURRENT.
        data: folder of the data package (datapackage.yaml).
        keep_builds: how many builds stay after a publication, the served one included.
        gate_changed_percent: how many of the figures of a live source may change for closed periods before a
            build is held back.
        public_url: where readers reach the dashboard, for the addresses in what they take away.
    """

    model_config = SettingsConfigDict(env_prefix="GENAI_ATLAS_", env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: user_data_path("genai-atlas", appauthor=False))
    data: Path = Field(default_factory=_shipped_data)
    keep_builds: int = Field(default=5, ge=1)
    gate_changed_percent: float = Field(default=20.0, ge=0, le=100)
    public_url: HttpUrl | None = None
