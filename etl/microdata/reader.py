"""What a reader of microdata declares: the layouts of its files, and how a row becomes a pay record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from etl.errors import NotOfSourceError
from etl.warehouse import quoted

# The coordinates of a cell, in the order in which everything lists them. Text; '' is "not stated".
COORDINATES = (
    "year",
    "title",
    "experience",
    "employment",
    "residence",
    "company_country",
    "remote",
    "company_size",
)
# Yearly pay in US dollars outside of these is a slip of the keyboard or another period or currency.
LEAST_PAY, MOST_PAY = 1_000, 5_000_000
FIRST_YEAR, LAST_YEAR = 2000, 2035

EXPERIENCE = ("EN", "MI", "SE", "EX", "")
EMPLOYMENT = ("FT", "PT", "CT", "FL", "")
REMOTE = ("0", "50", "100", "")
SIZES = ("S", "M", "L", "")


@dataclass(frozen=True)
class Layout:
    """One layout of a source's files.

    Attributes:
        columns: names that the header must have, others may stand there too.
        values: SQL over these columns (all text) for each coordinate, for `currency` and for `pay`; what the
            source does not tell is left out. Countries come as code or name.
        left_out: SQL that is the reason why a sound row is no yearly pay of a person, else NULL.
    """

    columns: tuple[str, ...]
    values: Mapping[str, str]
    left_out: str = "NULL"


class _Columns(Protocol):
    @property
    def columns(self) -> tuple[str, ...]: ...


class _Described(Protocol):
    @property
    def title(self) -> str: ...

    @property
    def address(self) -> str: ...


_Layout = TypeVar("_Layout", bound=_Columns)


def fitting(reader: _Described, layouts: Sequence[_Layout], file: str, header: Collection[str]) -> _Layout:
    """The first layout whose columns the header of a file has, all of them.

    Raises:
        NotOfSourceError: there is none; the nearest one tells what is missing.
    """
    names = set(header)
    if found := next((each for each in layouts if set(each.columns) <= names), None):
        return found
    nearest = max(layouts, key=lambda each: len(names.intersection(each.columns)))
    missing = [name for name in nearest.columns if name not in names]
    raise NotOfSourceError(
        f"{file} is no file of {reader.title} (such files: {reader.address}): "
        f"it has no column {', '.join(missing)}.",
        is_companion=2 * len(missing) > len(nearest.columns),
    )


@dataclass(frozen=True)
class Reader:
    """One source of pay records.

    Attributes:
        source: short name, part of commands and file names.
        title: what people call it.
        address: where a user refreshes it.
        layouts: newest first; a file has the first that fits.
        has_ranges: whether two rows may be the two ends of one posted range.
        year_from_name: whether the year stands in the name of the file or its folder and not in the rows.
    """

    source: str
    title: str
    address: str
    layouts: tuple[Layout, ...]
    has_ranges: bool = False
    year_from_name: bool = False

    def layout(self, file: str, header: Collection[str]) -> Layout:
        """The layout of a file.

        Raises:
            NotOfSourceError: it has none of the known ones.
        """
        return fitting(self, self.layouts, file, header)


def one_of(column: str, words: Mapping[str, str], otherwise: str = "''") -> str:
    """SQL that turns the words of a source into the codes of a coordinate."""
    cases = " ".join(f"WHEN '{quoted(word)}' THEN '{code}'" for word, code in words.items())
    return f"CASE {column} {cases} ELSE {otherwise} END"
