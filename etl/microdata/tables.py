"""Sources whose files are not pay records: brackets of pay, official wage statistics, visa petitions.

Their rows are kept as they are, in one shape a kind; nothing is reduced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from etl.microdata.reader import FIRST_YEAR, LAST_YEAR, fitting

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
            NotOfSourceError: it has none of the known ones.
        """
        return fitting(self, self.layouts, file, [plain_name(name) for name in header])


def plain_name(name: str) -> str:
    """A column's name in small letters with underscores, as all years of a source have it."""
    return name.strip().lower().replace(" ", "_")


def _number(column: str) -> str:
    """A number as agencies print it; `*`, `**`, `#`, `~` and 0 stand for "not published"."""
    return f"nullif(try_cast(replace(trim({column}), ',', '') AS DOUBLE), 0)"


def _below_ceiling(column: str) -> str:
    """A wage as an extract of old files has it, where the ceiling itself stands for "that or more"."""
    return f"nullif({_number(column)}, 145601)"


def _dollars(column: str, position: int) -> str:
    numbers = f"regexp_extract_all(replace({column}, ',', ''), '\\d+')"
    return f"try_cast(list_extract({numbers}, {position}) AS INTEGER)"


def _bracket(column: str) -> dict[str, str]:
    """Both ends of a bracket as a survey prints it; "10-20,000" is printed for 10,000 to 20,000."""
    least, most = _dollars(column, 1), _dollars(column, 2)
    thousands = f"{least} * CASE WHEN {least} < 1000 AND {most} >= 10000 THEN 1000 ELSE 1 END"
    return {"least_usd": f"coalesce({thousands}, {least})", "most_usd": most}


_YEAR_BAD = f"WHEN coalesce(year, 0) NOT BETWEEN {FIRST_YEAR} AND {LAST_YEAR} THEN 'year'"
_MOST_PERSONS = 1_000_000
_BRACKET_BAD = (
    f"CASE {_YEAR_BAD} WHEN least_usd IS NULL THEN 'bracket is no amount' "
    "WHEN respondents IS NULL THEN 'count is no number' WHEN respondents < 0 THEN 'negative count' "
    f"WHEN respondents > {_MOST_PERSONS} THEN 'absurd count' "
    "WHEN most_usd < least_usd THEN 'bracket upside down' END"
)


def _counts(subject: str, value: str, otherwise: str) -> TableLayout:
    """Counts of respondents by bracket and one other thing."""
    undisclosed = "CASE WHEN usd_bracket ILIKE '%not wish%' THEN 'pay not disclosed' END"
    return TableLayout(
        columns=("survey_year", subject, "usd_bracket", "respondents"),
        values={
            "year": "try_cast(survey_year AS INTEGER)",
            **_bracket("usd_bracket"),
            "respondents": "try_cast(respondents AS BIGINT)",
            "title" if subject == "job_title" else subject: value,
        },
        bad=_BRACKET_BAD,
        left_out=f"coalesce({undisclosed}, {otherwise})",
    )


def _answers(year: int, marks: tuple[str, ...], country: str, title: str, pay: str) -> TableLayout:
    """The file of all answers: a row a respondent, under a row with the questions."""
    return TableLayout(
        columns=(*marks, country, title, pay),
        values={
            "year": str(year),
            **_bracket(pay),
            "title": f"coalesce(trim({title}), '')",
            "country": f"CASE WHEN {country} ILIKE '%not wish%' OR trim({country}) = 'Other' THEN '' "
            f"ELSE coalesce(trim({country}), '') END",
            "respondents": "1",
        },
        bad=_BRACKET_BAD,
        left_out=f"CASE WHEN {pay} ILIKE '%yearly compensation%' THEN 'text of the questions' "
        f"WHEN coalesce({pay}, '') = '' THEN 'no pay stated' END",
    )


# Answers of persons become counts: by title, by country, and of all. '' is a person who does not tell.
BRACKETS_OF_ANSWERS = """
    SELECT
        source, year, role_id, title, country, least_usd, most_usd,
        sum(respondents)::BIGINT AS respondents
    FROM kept
    WHERE title IS NOT NULL AND country IS NOT NULL
    GROUP BY GROUPING SETS (
        (source, year, role_id, title, least_usd, most_usd),
        (source, year, country, least_usd, most_usd),
        (source, year, least_usd, most_usd)
    )
    HAVING coalesce(title, country, 'all') <> ''
    UNION ALL
    FROM kept WHERE title IS NULL OR country IS NULL
"""
_NO_COUNTRY = "CASE WHEN country IN ('Other', 'Undisclosed') THEN 'no country' END"

KAGGLE = TableReader(
    source="kaggle",
    title="the Kaggle survey's pay brackets",
    address="https://www.kaggle.com/c/kaggle-survey-2022",
    shape="pay_bracket",
    layouts=(
        _answers(2022, ("duration_(in_seconds)",), "q4", "q23", "q29"),
        _answers(2021, ("time_from_start_to_finish_(seconds)", "q42_other"), "q3", "q5", "q25"),
        _counts("job_title", "job_title", "NULL"),
        _counts("country", "nullif(country, 'ALL')", _NO_COUNTRY),
    ),
)

_PERCENTS = "[p10_usd, p25_usd, median_usd, p75_usd, p90_usd]"
_PRINTED = f"list_filter({_PERCENTS}, lambda wage: wage IS NOT NULL)"
_WAGE_BAD = (
    f"CASE {_YEAR_BAD} WHEN area IS NULL THEN 'no area' "
    "WHEN NOT regexp_full_match(coalesce(occupation_code, ''), '\\d\\d-\\d{4}') THEN 'occupation code' "
    f"WHEN list_min({_PERCENTS} || [mean_usd]) < 5000 OR list_max({_PERCENTS} || [mean_usd]) > 1000000 "
    "THEN 'absurd wage' "
    f"WHEN list_sort({_PRINTED}) <> {_PRINTED} THEN 'percentiles out of order' "
    "WHEN employees NOT BETWEEN 0 AND 200000000 THEN 'absurd number of jobs' END"
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
                "mean_usd": _below_ceiling("a_mean"),
                "year": "try_cast(year AS INTEGER)",
                "area": "trim(area_name)",
                "occupation": "coalesce(occ_title, occ_titl)",
                "p10_usd": _below_ceiling("coalesce(a_pct10, a_wpct10)"),
                "p25_usd": _below_ceiling("coalesce(a_pct25, a_wpct25)"),
                "median_usd": _below_ceiling("a_median"),
                "p75_usd": _below_ceiling("coalesce(a_pct75, a_wpct75)"),
                "p90_usd": _below_ceiling("coalesce(a_pct90, a_wpct90)"),
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

_PETITIONS = "initial_approvals, initial_denials, continuing_approvals, continuing_denials"

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
            bad=f"CASE {_YEAR_BAD} WHEN initial_approvals IS NULL THEN 'count is no number' "
            f"WHEN least({_PETITIONS}) < 0 THEN 'negative count' "
            f"WHEN greatest({_PETITIONS}) > {_MOST_PERSONS} THEN 'absurd count' END",
        ),
    ),
)

TABLE_READERS = {reader.source: reader for reader in (KAGGLE, OEWS, H1B)}
