"""US Occupational Employment and Wage Statistics: jobs and pay in four occupations.

One workbook a year for the nation, the states and the metros, in a zip file each. No occupation is called AI
engineer. Years stay once read: the newest files hold their own year only.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from python_calamine import CalamineWorkbook

from etl.sources.connector import MEGABYTE, Answer, Connector, Observation, Parsed, Request, State

OCCUPATIONS = {
    "15-1221": "computer and information research scientists",
    "15-1243": "database architects",
    "15-1252": "software developers",
    "15-2051": "data scientists",
}
# Kind of file -> source, bytes that are expected, bytes that it may have.
KINDS = {
    "nat": ("live-bls-oews-nation", 300_000, 10 * MEGABYTE),
    "st": ("live-bls-oews-states", 7_600_000, 60 * MEGABYTE),
    "ma": ("live-bls-oews-metros", 40_000_000, 160 * MEGABYTE),
}
_FIGURES = (
    ("tot_emp", "occupation_employment", "people"),
    ("a_median", "occupation_pay_median", "usd_per_year"),
    ("a_mean", "occupation_pay_mean", "usd_per_year"),
    ("loc_quotient", "occupation_location_quotient", "times"),
)
# Names of columns that changed over the years.
_ALIASES = {"area_name": "area_title", "loc_q": "loc_quotient", "occ_titl": "occ_title", "group": "o_group"}
# Areas outside of metropolitan ones are in workbooks of their own.
_WORKBOOK = re.compile(r"(?:^|/)(?:nat\w*|state|msa)_m\d{4}_dl[^/]*\.xlsx$", re.IGNORECASE)
_NAME = re.compile(r"oesm(\d\d)(nat|st|ma)\.zip")
_CEILING = re.compile(r"\$([\d,]+) per year")
# Markers in place of a number: none was released, or it is at or above what is printed at most.
_NONE, _AT_LEAST = {"*", "**", "~", ""}, "#"
# The files of a year are there some time after this day of the following one.
_EARLIEST_MONTH = 5


def plan(state: State) -> Sequence[Request]:
    """The nation's file of the newest year that may be there, else of the year before; then the others."""
    year = state.today.year - 1 if state.today.month >= _EARLIEST_MONTH else state.today.year - 2
    first = _file("nat", year, may_be_missing=True)
    answer = state.answers.get(first.key)
    if answer is None:
        return [first]
    if not answer.is_missing:
        return [first, _file("st", year), _file("ma", year)]
    return [first, *(_file(kind, year - 1) for kind in KINDS)]


def parse(state: State) -> Parsed:
    """Figures of all areas that we know."""
    rows: list[Observation] = []
    editions: dict[str, str] = {}
    unmapped: Counter[str] = Counter()
    metros = {each.target: str(each.entity_id) for each in state.targets}
    for key, answer in state.answers.items():
        found = _NAME.fullmatch(key)
        if found is None or answer.is_missing:
            continue
        year, kind = f"20{found[1]}", found[2]
        source, *_ = KINDS[kind]
        editions[source] = _released(answer, year)
        for row, ceiling in _rows(answer.body):
            entity = _entity(kind, row, state.entities, metros)
            if entity:
                place = f"metropolitan area {row['area_title']}" if kind == "ma" else None
                rows += _figures(row, source, entity, place, year, ceiling, editions[source])
            elif kind == "st":
                unmapped[row["area_title"]] += 1
    return Parsed(tuple(rows), editions, dict(unmapped))


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """Every kind of area that was answered has figures, and not many fewer than the year before."""
    found = []
    names = (_NAME.fullmatch(key) for key in state.answers)
    answered = {name[2] for name in names if name}
    for kind, (source, *_) in KINDS.items():
        if kind not in answered:
            continue
        count = sum(each.source_id == source for each in parsed.observations)
        before = Counter(each.period for each in state.previous if each.source_id == source)
        if count < max(1, 0.8 * before[max(before, default="")]):
            found.append(f"only {count:,} figures for {source.removeprefix('live-bls-oews-')}")
    return found


def request_of(name: str) -> Request | None:
    """The request for a file of the agency by its name, such as oesm25ma.zip."""
    found = _NAME.fullmatch(name)
    return _file(found[2], 2000 + int(found[1])) if found else None


def _file(kind: str, year: int, *, may_be_missing: bool = False) -> Request:
    name = f"oesm{year % 100:02}{kind}.zip"
    _, about, largest = KINDS[kind]
    return Request(
        name,
        f"/oes/special-requests/{name}",
        media="zip",
        may_be_missing=may_be_missing,
        about=about,
        largest=largest,
    )


def _released(answer: Answer, year: str) -> str:
    """Day on which the file was made, or the month that its figures are for."""
    try:
        return parsedate_to_datetime(answer.headers["last-modified"]).date().isoformat()
    except (KeyError, ValueError):
        return f"{year}-05"


def _rows(content: bytes) -> Iterator[tuple[dict[str, str], float | None]]:
    """Rows of our occupations, each with the most that is printed of yearly pay.

    Raises:
        ValueError: there is no workbook with the figures.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = [name for name in packed.namelist() if _WORKBOOK.search(name)]
        if not names:
            raise ValueError(f"there is no workbook among {', '.join(packed.namelist()[:5])}")
        for name in names:
            with packed.open(name) as member:
                yield from _sheet_rows(io.BytesIO(member.read()), name)


def _sheet_rows(content: io.BytesIO, name: str) -> Iterator[tuple[dict[str, str], float | None]]:
    with CalamineWorkbook.from_filelike(content) as workbook:
        ceiling = None
        main = None
        for sheet_name in workbook.sheet_names:
            lines = workbook.get_sheet_by_name(sheet_name).iter_rows()
            header = [_column(cell) for cell in next(lines, [])]
            if "tot_emp" in header:
                main = (header, lines)
                continue
            for line in lines:
                if told := _CEILING.search(" ".join(str(cell) for cell in line)):
                    ceiling = float(told[1].replace(",", ""))
        if main is None:
            raise ValueError(f"no sheet of {name} has the column tot_emp")
        header, lines = main
        code = header.index("occ_code")
        for line in lines:
            if str(line[code]).strip() in OCCUPATIONS:
                yield {column: _text(cell) for column, cell in zip(header, line, strict=True)}, ceiling


def _column(cell: Any) -> str:
    name = re.sub(r"\s+", "_", str(cell).strip().lower())
    return _ALIASES.get(name, name)


def _text(cell: Any) -> str:
    """A cell as text; whole numbers, which a workbook keeps as decimals, without the point."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _entity(
    kind: str, row: Mapping[str, str], entities: Mapping[str, str], metros: Mapping[str, str]
) -> str | None:
    if kind == "ma":
        return metros.get(row["area"].zfill(5))
    if kind == "nat":
        return "USA"
    slug = re.sub(r"[^a-z]+", "-", row["area_title"].casefold())
    # Some states are called like a country or a city.
    return entities.get(f"{slug}-state") or (slug if entities.get(slug) == slug else None)


def _figures(
    row: Mapping[str, str],
    source: str,
    entity: str,
    place: str | None,
    year: str,
    ceiling: float | None,
    edition: str,
) -> Iterator[Observation]:
    for column, metric_id, unit_id in _FIGURES:
        told = row.get(column, "").replace(",", "")
        is_cut = told == _AT_LEAST
        if told in _NONE or (is_cut and ceiling is None):
            continue
        yield Observation(
            source_id=source,
            metric_id=metric_id,
            entity_id=entity,
            period=f"{year}-05",
            segment=OCCUPATIONS[row["occ_code"]],
            population=place,
            value=float(ceiling or 0) if is_cut else float(told),
            unit_id=unit_id,
            bound="at_least" if is_cut else None,
            vintage=edition,
            area_basis="metro" if place else None,
        )


CONNECTOR = Connector(
    name="oews",
    title="US Bureau of Labor Statistics, OEWS",
    bases={"": "https://www.bls.gov"},
    plan=plan,
    parse=parse,
    check=check,
    keeps_history=True,
    pause=2,
    seconds=90,
    request_of=request_of,
)
