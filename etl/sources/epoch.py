"""Epoch AI: notable AI models, counted by year of publication, by country and by company.

One file of models, revised as a whole. Models are listed some time after they appear, so recent years
rise later.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State

SOURCE = "live-epoch-ai-notable-models"
MODELS = Request(
    "notable_ai_models.csv",
    "/data/notable_ai_models.csv",
    media="csv",
    about=2_200_000,
    largest=30 * MEGABYTE,
)
# Names of columns, the newest first.
_NAME = ("Model", "System")
_COUNTRIES = ("Country (of organization)", "Country (from Organization)")
_COUNTRY_NAMES = {
    "iran (islamic republic of)": "IRN",
    "korea (republic of)": "KOR",
    "united kingdom of great britain and northern ireland": "GBR",
    "united states of america": "USA",
    # Said of a developer that is at home in no one country.
    "multinational": "",
}
# Parts of companies under whose names models are listed.
_LABORATORIES = {
    "beijing academy of artificial intelligence / baai": "company-beijing-academy-of-artificial-intelligence",
    "deepmind": "company-google-deepmind",
    "facebook": "company-meta",
    "facebook ai": "company-meta",
    "facebook ai research": "company-meta",
    "google brain": "company-google",
    "google research": "company-google",
    "intel labs": "company-intel",
    "meta ai": "company-meta",
    "mila - quebec ai (originally montreal institute for learning algorithms)": "company-mila",
    "microsoft research": "company-microsoft",
    "microsoft research asia": "company-microsoft",
    "moonshot": "company-moonshot-ai",
    "salesforce research": "company-salesforce",
}


def plan(_: State) -> Sequence[Request]:
    """The one file."""
    return [MODELS]


def parse(state: State) -> Parsed:
    """Models by year in the world, in each country and of each company; one counts once for each of these."""
    counts: Counter[tuple[str, str]] = Counter()
    unmapped: Counter[str] = Counter()
    edition = ""
    for row in records(state.answers[MODELS.key].text, "Organization", "Publication date"):
        _of(row, _NAME)
        year, countries = row["Publication date"][:4], listed(_of(row, _COUNTRIES))
        if not year:
            continue
        edition = max(edition, (row.get("Last modified") or row["Publication date"])[:10])
        places = {each: country_of(each, state.entities) for each in countries}
        unmapped.update(name for name, place in places.items() if place is None)
        makers = {company_of(each, state.entities) for each in listed(row["Organization"])}
        counts.update((each, year) for each in {"world", *places.values(), *makers} if each)
    observations = [
        Observation(
            source_id=SOURCE,
            metric_id="notable_ai_models",
            entity_id=entity,
            period=year,
            value=count,
            unit_id="models",
            status="partial" if year == edition[:4] else "actual",
            basis="computed from published microdata",
            vintage=edition,
        )
        for (entity, year), count in sorted(counts.items())
    ]
    return Parsed(tuple(observations), {SOURCE: edition}, dict(unmapped))


def records(text: str, *columns: str) -> Iterator[Mapping[str, str]]:
    """Rows of a file of Epoch AI; cells may hold line ends.

    Raises:
        ValueError: a column is not there.
    """
    lines = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in columns if name not in (lines.fieldnames or ())]:
        raise ValueError(f"there is no column {', '.join(missing)}")
    return lines


def listed(cell: str) -> set[str]:
    """The names in a cell."""
    return {name.strip() for name in cell.split(",") if name.strip()}


def country_of(name: str, entities: Mapping[str, str]) -> str | None:
    """The country of that name, "" where it is none, None where it is not known."""
    known = _COUNTRY_NAMES.get(name.casefold())
    return known if known is not None else entities.get(name.casefold())


def company_of(name: str, entities: Mapping[str, str]) -> str | None:
    """The company of that name; tools and models may be called the same."""
    if name.casefold() in _LABORATORIES:
        return _LABORATORIES[name.casefold()]
    slug = "company-" + re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    found = entities.get(slug) or entities.get(name.casefold(), "")
    return found if found.startswith("company-") else None


def _of(row: Mapping[str, str], names: Sequence[str]) -> str:
    """The cell of the first of these columns that the file has."""
    for name in names:
        if name in row:
            return row[name]
    raise ValueError(f"there is no column {names[0]}")


CONNECTOR = Connector(
    name="epoch",
    title="Epoch AI, notable models",
    bases={"": "https://epoch.ai"},
    plan=plan,
    parse=parse,
)
