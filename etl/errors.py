"""The errors that a person can act on. Everything else is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the data: where it stands, which rule it breaks, what to do about it.

    A row is counted as a spreadsheet counts it: the header is row 1.
    """

    file: str
    row: int | None
    field: str | None
    rule: str
    message: str

    def __str__(self) -> str:
        """One line: file, row, field, sentence, rule."""
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.field:
            where += f", {self.field}"
        return f"{where}: {self.message} [{self.rule}]"

    @property
    def place(self) -> tuple[str, int, str, str, str]:
        """What problems are sorted by: the order in which somebody mends a file."""
        return self.file, self.row or 0, self.field or "", self.rule, self.message

    def as_dict(self) -> dict[str, object]:
        """The same as JSON-ready values."""
        return asdict(self)


class AtlasError(Exception):
    """Something a user can put right; the text is one sentence that says what, where and what to do next."""


class MisuseError(AtlasError):
    """What was asked for does not exist or cannot be made; the text says what there is instead."""


class DataError(AtlasError):
    """The data break their own rules. Carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem], what: str = "The data package has") -> None:
        """Keep the problems in the order file, row, field."""
        self.problems = sorted(problems, key=lambda problem: problem.place)
        count = len(self.problems)
        super().__init__(f"{what} {count:,} problem{'s' if count != 1 else ''}; nothing was published.")


class HomeError(AtlasError):
    """The folder that holds the builds cannot be used as asked."""


class DamagedBuildError(AtlasError):
    """A build file cannot be read, or its content is not what its name says."""


class QueryError(AtlasError):
    """A reader's own query is not one SELECT, fails, or takes too long or too much memory."""


class ImportRefusedError(AtlasError):
    """A file of microdata cannot be imported; what was imported before stays as it was."""


class TooManyBadRowsError(ImportRefusedError):
    """More rows of an import are bad than may be."""


class NotOfSourceError(ImportRefusedError):
    """A file has no known layout of its source.

    Attributes:
        is_companion: whether it looks like what lies beside the data, a schema or notes, having fewer than
            half of the columns that any layout needs.
    """

    def __init__(self, message: str, *, is_companion: bool) -> None:
        """Say what is missing."""
        super().__init__(message)
        self.is_companion = is_companion


def first_line(error: Exception) -> str:
    """What an engine's error says, without the drawing of the statement that follows."""
    return str(error).splitlines()[0]
