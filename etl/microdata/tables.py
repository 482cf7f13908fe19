"""Sources whose files are not pay records: brackets of pay, official wage statistics, visa petitions.

Their rows are kept as they are, in one shape a kind; nothing is reduced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from etl.errors import ImportRefusedError

# Shape of each kind: the columns of its table, the same in a snapshot and in a build.
SHAPES: dict[str, dict[str, str]] = {
    "pay_bracket": {
        "source": "VARCHAR",
        "year": "INTEGER",
        "role_id": "VARCHAR",
        "title": "VARCHAR",
        "country": "VARCHAR",
        "least_usd": "INTEGER",
        "most_usd": "INTEGER",
        "respondents": "BIGINT",
    },
    "wage_statistic": {
        "source": "VARCHAR",
        "year": "INTEGER",
        "area": "VARCHAR",
        "state": "VARCHAR",
        "occupation_code": "VARCHAR",
        "occupation": "VARCHAR",
        "employees": "BIGINT",
        "mean_usd": "DOUBLE",
        "p10_usd": "DOUBLE",
        "p25_usd": "DOUBLE",
        "median_usd": "DOUBLE",
        "p75_usd": "DOUBLE",
        "p90_usd": "DOUBLE",
        "price_parity": "DOUBLE",
    },
    "visa_petition": {
        "source": "VARCHAR",
        "year": "INTEGER",
        "employer": "VARCHAR",
        "city": "VARCHAR",
        "state": "VARCHAR",
        "industry_code": "VARCHAR",
        "initial_approvals": "BIGINT",
        "initial_denials": "BIGINT",
        "continuing_approvals": "BIGINT",
        "continuing_denials": "BIGINT",
    },
}


@dataclass(frozen=True)
class TableLayout:
    """One layout of a source's files.

    Attributes:
        columns: names that the header must have, in small letters with underscores.
        values: SQL over these columns (all text) for columns of the shape; what is left out is missing.
        bad: SQL that is the reason why a row is bad, over the columns of the shape (`told`), else NULL.
        left_out: SQL that is the reason why a sound row is of no use, over the file's columns, else NULL.
    """

    columns: tuple[str, ...]
    values: dict[str, str]
    bad: str
    left_out: str = "NULL"


@dataclass(frozen=True)
class TableReader:
    """One source of tables; `shape` names one of SHAPES."""

    source: str
    title: str
    address: str
    shape: str
    layouts: tuple[TableLayout, ...]

    def layout(self, file: str, header: Collection[str]) -> TableLayout:
        """The layout of a file.

        Raises:
            ImportRefusedError: it has none of the known ones.
        """
        names = {plain_name(name) for name in header}
        if found := next((each for each in self.layouts if set(each.columns) <= names), None):
            return found
        nearest = min(self.layouts, key=lambda each: len(set(each.columns) - names))
        missing = ", ".join(name for name in nearest.columns if name not in names)
        raise ImportRefusedError(f"{file} is no file of {self.title}: it has no column {missing}.")


def plain_name(name: str) -> str:
    """A column's name in small letters with underscores, as all years of a source have it."""
    return name.strip().lower().replace(" ", "_")


def _number(column: str) -> str:
    """A number as agencies print it; `*`, `**`, `#`, `~` and 0 stand for "not published"."""
    return f"nullif(try_cast(replace(trim({column}), ',', '') AS DOUBLE), 0)"


def _dollars(position: int) -> str:
    numbers = "regexp_extract_all(replace(usd_bracket, ',', ''), '\\d+')"
    return f"try_cast(list_extract({numbers}, {position}) AS INTEGER)"


# "10-20,000" is printed for 10,000 to 20,000.
_LEAST = f"{_dollars(1)} * CASE WHEN {_dollars(1)} < 1000 AND {_dollars(2)} >= 10000 THEN 1000 ELSE 1 END"
_BRACKET = {
    "year": "try_cast(survey_year AS INTEGER)",
    "least_usd": f"coalesce({_LEAST}, {_dollars(1)})",
    "most_usd": _dollars(2),
    "respondents": "try_cast(respondents AS BIGINT)",
}
_BRACKET_BAD = (
    "CASE WHEN year IS NULL THEN 'year' WHEN least_usd IS NULL THEN 'bracket' WHEN respondents IS NULL "
    "OR respondents < 0 THEN 'count' WHEN most_usd < least_usd THEN 'bracket upside down' END"
)
_NOT_TOLD = "CASE WHEN usd_bracket ILIKE '%not wish%' THEN 'pay not disclosed' END"

KAGGLE = TableReader(
    source="kaggle",
    title="the Kaggle survey's pay brackets",
    address="https://www.kaggle.com/c/kaggle-survey-2022",
    shape="pay_bracket",
    layouts=(
        TableLayout(
            columns=("survey_year", "job_title", "usd_bracket", "respondents"),
            values={**_BRACKET, "title": "job_title"},
            bad=_BRACKET_BAD,
            left_out=_NOT_TOLD,
        ),
        TableLayout(
            columns=("survey_year", "country", "usd_bracket", "respondents"),
            values={**_BRACKET, "country": "nullif(country, 'ALL')"},
            bad=_BRACKET_BAD,
            left_out=f"coalesce({_NOT_TOLD}, CASE WHEN country IN ('Other', 'Undisclosed') "
            "THEN 'no country' END)",
        ),
    ),
)

_WAGE_BAD = (
    "CASE WHEN year IS NULL THEN 'year' WHEN area IS NULL THEN 'no area' "
    "WHEN NOT regexp_full_match(coalesce(occupation_code, ''), '\\d\\d-\\d{4}') THEN 'occupation code' "
    "WHEN median_usd NOT BETWEEN 5000 AND 1000000 OR mean_usd NOT BETWEEN 5000 AND 1000000 "
    "THEN 'absurd wage' END"
)
_PERCENTILES = {
    "p10_usd": _number("a_pct10"),
    "p25_usd": _number("a_pct25"),
    "median_usd": _number("a_median"),
    "p75_usd": _number("a_pct75"),
    "p90_usd": _number("a_pct90"),
}
_COMMON = {
    "state": "prim_state",
    "occupation_code": "occ_code",
    "occupation": "occ_title",
    "employees": _number("tot_emp"),
    "mean_usd": _number("a_mean"),
}

OEWS = TableReader(
    source="oews",
    title="the US Occupational Employment and Wage Statistics",
    address="https://www.bls.gov/oes/tables.htm",
    shape="wage_statistic",
    layouts=(
        # Figures of 2024 for one occupation, from the charts of a notebook.
        TableLayout(
            columns=("occ_code", "area_title", "employment_2024", "median_annual_wage_usd_2024"),
            values={
                "year": "2024",
                "area": "trim(area_title)",
                "occupation_code": "occ_code",
                "employees": _number("employment_2024"),
                "median_usd": _number("median_annual_wage_usd_2024"),
                "price_parity": _number("regional_price_parity_2023"),
            },
            bad=_WAGE_BAD,
        ),
        # Two years stacked, each with columns of its own.
        TableLayout(
            columns=("area_name", "occ_code", "occ_titl", "a_wpct10", "a_pct10", "year"),
            values={
                **_COMMON,
                "year": "try_cast(year AS INTEGER)",
                "area": "trim(area_name)",
                "occupation": "coalesce(occ_title, occ_titl)",
                "p10_usd": _number("coalesce(a_pct10, a_wpct10)"),
                "p25_usd": _number("coalesce(a_pct25, a_wpct25)"),
                "median_usd": _number("a_median"),
                "p75_usd": _number("coalesce(a_pct75, a_wpct75)"),
                "p90_usd": _number("coalesce(a_pct90, a_wpct90)"),
            },
            bad=_WAGE_BAD,
        ),
        # The official files; the year stands in the name.
        *(
            TableLayout(
                columns=(area, "prim_state", "occ_code", "occ_title", "tot_emp", "a_median", "a_pct10"),
                values={**_COMMON, **_PERCENTILES, "year": "$year", "area": f"trim({area})"},
                bad=_WAGE_BAD,
            )
            for area in ("area_title", "area_name")
        ),
        TableLayout(
            columns=("area_title", "prim_state", "occ_code", "occ_title", "tot_emp", "a_median", "a_pct25"),
            values={
                **_COMMON,
                "year": "$year",
                "area": "trim(area_title)",
                "p25_usd": _number("a_pct25"),
                "median_usd": _number("a_median"),
                "p75_usd": _number("a_pct75"),
            },
            bad=_WAGE_BAD,
        ),
    ),
)

H1B = TableReader(
    source="h1b",
    title="the US H-1B employer data hub",
    address="https://www.uscis.gov/tools/reports-and-studies/h-1b-employer-data-hub",
    shape="visa_petition",
    layouts=(
        TableLayout(
            columns=(
                "fiscal_year",
                "employer",
                "initial_approval",
                "initial_denial",
                "continuing_approval",
                "continuing_denial",
                "naics",
                "state",
                "city",
            ),
            values={
                "year": "try_cast(fiscal_year AS INTEGER)",
                "employer": "employer",
                "city": "city",
                "state": "state",
                "industry_code": "naics",
                "initial_approvals": "try_cast(replace(initial_approval, ',', '') AS BIGINT)",
                "initial_denials": "try_cast(replace(initial_denial, ',', '') AS BIGINT)",
                "continuing_approvals": "try_cast(replace(continuing_approval, ',', '') AS BIGINT)",
                "continuing_denials": "try_cast(replace(continuing_denial, ',', '') AS BIGINT)",
            },
            bad="CASE WHEN year IS NULL THEN 'year' WHEN least(initial_approvals, initial_denials, "
            "continuing_approvals, continuing_denials) < 0 OR initial_approvals IS NULL THEN 'count' END",
        ),
    ),
)

TABLE_READERS = {reader.source: reader for reader in (KAGGLE, OEWS, H1B)}
