"""Stack Overflow Developer Survey: files of answers for `genai-atlas import stackoverflow`.

The archive gives a pointer of three lines, which tells the hash of the file; a file is fetched only when its
hash is another one than that of the file that is there. Large, so asked only by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from etl.sources.connector import MEGABYTE, Answer, Connector, Parsed, Request, State

_ARCHIVE = "/StackExchange/Survey/main/packages/archive/{}/results.csv"
_POINTER = re.compile(
    r"version https://git-lfs\.github\.com/spec/v1\s+oid sha256:([0-9a-f]{64})\s+size (\d+)\s*"
)


def plan(state: State) -> Sequence[Request]:
    """The pointers of all years, then the files that they point to."""
    found = []
    for year in _years(state):
        pointer = _pointer(year, state)
        found.append(pointer)
        answer = state.answers.get(pointer.key)
        if answer and not answer.is_missing:
            sha256, size = _told(answer)
            file = _file(year, sha256, size, state)
            found.append(file)
    return found


def parse(_: State) -> Parsed:
    """No figures: records become cells, which the reader makes."""
    return Parsed((), {})


def check(state: State, _: Parsed) -> Sequence[str]:
    """Every file has the hash that its pointer tells."""
    return list(_wrong_files(state))


def _wrong_files(state: State) -> Iterator[str]:
    for year in _years(state):
        answer = state.answers.get(_pointer(year, state).key)
        if answer and not answer.is_missing:
            sha256, size = _told(answer)
            if state.answers[_file(year, sha256, size, state).key].sha256 != sha256:
                yield f"the file of {year} is not the one that its pointer names"


def _years(state: State) -> list[str]:
    """Those of the list, and the years since, whose files may have come."""
    known = [each.target for each in state.targets]
    return [*known, *(str(year) for year in range(int(max(known)) + 1, state.today.year + 1))]


def _pointer(year: str, state: State) -> Request:
    return Request(
        f"pointer of {year}",
        _ARCHIVE.format(year),
        media="text",
        may_be_missing=year not in {each.target for each in state.targets},
        about=130,
        largest=MEGABYTE,
    )


def _file(year: str, sha256: str, size: int, state: State) -> Request:
    """The file; one that is there with the right hash is not asked for again."""
    key = f"{year}/results.csv"
    stored = state.stored.get(key)
    return Request(
        key,
        f"/media{_ARCHIVE.format(year)}",
        base="media",
        media="csv",
        is_final=stored is not None and stored.sha256 == sha256,
        about=size,
        largest=400 * MEGABYTE,
    )


def _told(pointer: Answer) -> tuple[str, int]:
    """Hash and size of the file that a pointer names.

    Raises:
        ValueError: it is no pointer.
    """
    found = _POINTER.fullmatch(pointer.text)
    if found is None:
        raise ValueError("the archive does not give the pointer to a file")
    return found[1], int(found[2])


CONNECTOR = Connector(
    name="stackoverflow",
    title="Stack Overflow Developer Survey",
    bases={"": "https://raw.githubusercontent.com", "media": "https://media.githubusercontent.com"},
    plan=plan,
    parse=parse,
    check=check,
    reader="stackoverflow",
    seconds=90,
    is_optional=True,
)
