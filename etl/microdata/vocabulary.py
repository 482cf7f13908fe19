"""The words that microdata may use, from the data package: countries, currencies, reviewed titles."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from etl.errors import ImportRefusedError
from etl.microdata.roles import TITLES, RoleOf, reviewed_titles

_ENTITIES = Path("entities.csv")
_COUNTRIES = Path("places/countries.csv")
_NAMES = Path("salaries/country_names.csv")


@dataclass(frozen=True)
class Vocabulary:
    """What is known about countries, currencies and titles."""

    data: Path

    @cached_property
    def countries(self) -> dict[str, str]:
        """Entity id of a country by its code or by any of its names, in small letters."""
        known = {}
        for row in self._rows(_ENTITIES):
            if row["kind"] == "country":
                names = [row["entity_id"], row["iso2"], row["name"], *row["also_known_as"].split(";")]
                known.update({name.strip().lower(): row["entity_id"] for name in names if name.strip()})
        known.update({row["name"]: row["entity_id"] for row in self._rows(_NAMES)})
        return known

    @cached_property
    def currencies(self) -> set[str]:
        """Codes of the currencies in use."""
        return {row["currency_code"] for row in self._rows(_COUNTRIES) if row["currency_code"]}

    @cached_property
    def titles(self) -> dict[str, RoleOf]:
        """The reviewed titles."""
        return reviewed_titles(self.data)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file that the words come from."""
        return {
            path.as_posix(): hashlib.sha256((self.data / path).read_bytes()).hexdigest()
            for path in (_ENTITIES, _COUNTRIES, _NAMES, TITLES)
        }

    def _rows(self, path: Path) -> list[dict[str, str]]:
        try:
            with (self.data / path).open(encoding="utf-8", newline="") as handle:
                return list(csv.DictReader(handle))
        except OSError as error:
            raise ImportRefusedError(f"{self.data / path} cannot be read ({error.strerror}).") from error
