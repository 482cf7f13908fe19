"""Microsoft AI diffusion: the modelled share of people who use generative AI, by country and by US metro.

File names carry the period, so the folders are listed and the newest file of each kind is read. Countries and
metros are estimated by different methods.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from etl.sources.connector import MEGABYTE, Connector, Observation, Parsed, Request, State
from etl.sources.github import judge

COUNTRIES, METROS = "live-microsoft-ai-diffusion-countries", "live-microsoft-ai-diffusion-metros"
_REPOSITORY = "microsoft/ai-diffusion-report"
# Folder -> source, start of the names of its files.
_FOLDERS = {"data": (COUNTRIES, "AI_Diffusion"), "data/US": (METROS, "MSA_Ranking")}
_PERIOD = re.compile(r"([HQ])(\d) ?(\d{4})|(\d{4}) ?([HQ])(\d)")
_POPULATION = "working-age people, modelled from usage"
_NAMES = {
    "bosnia and herzegovina": "BIH",
    "congo": "COG",
    "congo (drc)": "COD",
    "cote d'ivoire": "CIV",
}


def plan(state: State) -> Sequence[Request]:
    """The listings of both folders, then the newest file of each."""
    listings = {folder: _listing(folder) for folder in _FOLDERS}
    found = list(listings.values())
    for folder, listing in listings.items():
        if listing.key in state.answers:
            found.append(_newest(folder, state))
    return found


def parse(state: State) -> Parsed:
    """Shares by country for all periods of the newest file; by metro for its period, older ones stay."""
    unmapped: Counter[str] = Counter()
    countries = list(_of_countries(state, unmapped))
    metros = list(_of_metros(state, unmapped))
    told = {each.coordinates for each in metros}
    earlier = [each for each in state.previous if each.source_id == METROS and each.coordinates not in told]
    editions = {
        COUNTRIES: _last_month(max((each.period for each in countries), key=_last_month)),
        METROS: _last_month(_period(_newest("data/US", state).key)),
    }
    return Parsed((*countries, *metros, *earlier), editions, dict(unmapped))


def _of_countries(state: State, unmapped: Counter[str]) -> Iterator[Observation]:
    for row in _rows(state, "data"):
        name = row.pop("Economy").strip()
        entity = _NAMES.get(name.casefold()) or state.entities.get(name.casefold())
        if entity is None:
            unmapped[name] += 1
            continue
        for column, share in row.items():
            if share.strip():
                yield _share(COUNTRIES, entity, _period(column), share)


def _of_metros(state: State, unmapped: Counter[str]) -> Iterator[Observation]:
    codes = {each.target: str(each.entity_id) for each in state.targets}
    period = _period(_newest("data/US", state).key)
    for row in _rows(state, "data/US"):
        entity = codes.get(row["MSA Code"].strip())
        if entity is None:
            unmapped[row["MSA Title"]] += 1
        elif row["AI User Share"].strip():
            yield _share(METROS, entity, period, row["AI User Share"])


def _share(source: str, entity: str, period: str, share: str) -> Observation:
    return Observation(
        source_id=source,
        metric_id="genai_users_share",
        entity_id=entity,
        period=period,
        population=_POPULATION,
        value=float(share.strip().removesuffix("%")),
        unit_id="percent",
        vintage=_last_month(period),
        area_basis="metro" if source == METROS else None,
    )


def _listing(folder: str) -> Request:
    return Request(
        f"listing of {folder}",
        f"/repos/{_REPOSITORY}/contents/{folder}",
        headers=(("Accept", "application/vnd.github+json"),),
        base="listing",
        about=10_000,
    )


def _newest(folder: str, state: State) -> Request:
    """The file of the newest period.

    Raises:
        ValueError: the folder holds none.
    """
    _, start = _FOLDERS[folder]
    names = [
        str(each["name"])
        for each in state.answers[_listing(folder).key].document
        if str(each["name"]).startswith(start)
        and str(each["name"]).endswith(".csv")
        and _PERIOD.search(str(each["name"]))
    ]
    if not names:
        raise ValueError(f"the folder {folder} holds no file {start}….csv")
    name = max(names, key=lambda each: (_last_month(_period(each)), each))
    path = f"/{_REPOSITORY}/main/{folder}/{quote(name)}"
    return Request(name, path, media="csv", about=7_000, largest=5 * MEGABYTE)


def _rows(state: State, folder: str) -> Iterator[dict[str, str]]:
    body = state.answers[_newest(folder, state).key].body
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        # One edition was saved on a Macintosh; the byte of the u-umlaut is no UTF-8.
        text = body.decode("mac_roman")
    rows: Iterator[Mapping[str, str]] = csv.DictReader(io.StringIO(text, newline=""))
    return (dict(row) for row in rows)


def _period(words: str) -> str:
    """The period that a name speaks of, as YYYY-Hn or YYYY-Qn.

    Raises:
        ValueError: it speaks of none.
    """
    found = _PERIOD.search(words)
    if found is None:
        raise ValueError(f"'{words}' names no period")
    part, number, year, other_year, other_part, other_number = found.groups()
    return f"{year or other_year}-{part or other_part}{number or other_number}"


def _last_month(period: str) -> str:
    year, part = period.split("-")
    return f"{year}-{int(part[1]) * (6 if part[0] == 'H' else 3):02}"


CONNECTOR = Connector(
    name="microsoft",
    title="Microsoft AI diffusion report",
    bases={"": "https://raw.githubusercontent.com", "listing": "https://api.github.com"},
    plan=plan,
    parse=parse,
    judge=judge,
)
