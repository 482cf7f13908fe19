"""Files of records that do not change any more: read at their address, handed to `genai-atlas import`."""

from __future__ import annotations

from collections.abc import Sequence

from etl.sources.connector import MEGABYTE, Connector, Parsed, Request, State

# Fiscal years whose petitions the agency gives as files; later ones stand in a tool for people only.
_PETITIONS = range(2020, 2024)


def _no_figures(_: State) -> Parsed:
    """Records become cells, or rows, which the reader makes."""
    return Parsed((), {})


def _of_files(name: str, title: str, base: str, *files: Request, is_optional: bool) -> Connector:
    def plan(_: State) -> Sequence[Request]:
        return files

    return Connector(
        name=name,
        title=title,
        bases={"": base},
        plan=plan,
        parse=_no_figures,
        reader=name,
        seconds=90,
        is_optional=is_optional,
    )


CONNECTORS = (
    _of_files(
        "aijobs",
        "ai-jobs.net salaries",
        "https://raw.githubusercontent.com",
        Request(
            "salaries.csv",
            "/foorilla/ai-jobs-net-salaries/main/salaries.csv",
            media="csv",
            about=9_000_000,
            largest=200 * MEGABYTE,
        ),
        is_optional=False,
    ),
    _of_files(
        "data_jobs",
        "Data job postings of 2023",
        "https://huggingface.co",
        Request(
            "data_jobs.csv",
            "/datasets/lukebarousse/data_jobs/resolve/main/data_jobs.csv",
            media="csv",
            about=231_000_000,
            largest=600 * MEGABYTE,
        ),
        is_optional=True,
    ),
    _of_files(
        "h1b",
        "H-1B Employer Data Hub",
        "https://www.uscis.gov",
        *(
            Request(
                f"h1b_datahubexport-{year}.csv",
                f"/sites/default/files/document/data/h1b_datahubexport-{year}.csv",
                media="csv",
                about=4_000_000,
                largest=60 * MEGABYTE,
            )
            for year in _PETITIONS
        ),
        is_optional=True,
    ),
)
