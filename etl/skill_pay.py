"""What skills go with what pay, computed from postings and answers that tell both; figures, no rows.

Only within one role, one level and the US, since pay differs more between these than between skills. It is an
association: who names a skill differs in more than the skill.

python -m etl.skill_pay FOLDER_OF_RAW_FILES > data/salaries/skill_pay.csv
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from etl.microdata.roles import role_of
from etl.microdata.vocabulary import Vocabulary
from etl.settings import Settings

LEAST = 30  # postings or persons with a skill, and as many without it
QUARTILES = (0.25, 0.5, 0.75)
DATA_JOBS, KAGGLE = (
    "data_jobs/data_jobs_salary_2023.csv.gz",
    "kaggle_survey/kaggle_survey_2022_responses.csv.gz",
)
# The extraction takes these English words for a language, a framework or a program.
WORDS = {"aurora", "c", "chef", "crystal", "express", "flow", "go", "node", "outlook", "phoenix", "sheets"}
WORDS |= {"spring", "terminal", "unify", "word"}
_SPELT = (
    "AWS|BigQuery|C++|C#|CSS|CatBoost|DAX|DB2|DynamoDB|GCP|GitHub|GitLab|HTML|IBM Cloud|JAX|JavaScript|"
    "LightGBM|MATLAB|MicroStrategy|MongoDB|MySQL|NLTK|NoSQL|NumPy|OpenCV|PHP|PostgreSQL|Power BI|PowerPoint|"
    "PowerShell|PySpark|PyTorch|PyTorch Lightning|SAP|SAS|SPSS|SQL|SQL Server|SSIS|SSRS|SharePoint|T-SQL|"
    "TensorFlow|TypeScript|VBA|Visual Basic|XGBoost|ggplot2|fast.ai|scikit-learn"
)
NAMES = {
    **{name.lower(): name for name in _SPELT.split("|")},
    "huggingface": "Hugging Face",
    "mongo": "MongoDB",
    "ms access": "Microsoft Access",
    "no-sql": "NoSQL",
}


@dataclass(frozen=True)
class Paid:
    """One posting or answer: pay lies between `least` and `most`, which are the same where it is exact."""

    role_id: str
    level: str
    least: float
    most: float
    skills: frozenset[str]


def data_jobs(file: Path, words: Vocabulary) -> Iterator[Paid]:
    """Postings for jobs in the US that state pay by the year and name skills."""
    rows = duckdb.execute(
        "SELECT job_title_short, salary_year_avg::DOUBLE, regexp_extract_all(job_skills, '''([^'']+)''', 1) "
        "FROM read_csv(?, all_varchar = true) WHERE salary_rate = 'year' AND salary_year_avg IS NOT NULL "
        "AND job_country = 'United States' AND job_skills IS NOT NULL",
        [str(file)],
    ).fetchall()
    for title, pay, skills in rows:
        if role := role_of(title, words.titles).role_id:
            level = "senior" if title.startswith("Senior") else "not senior"
            yield Paid(role, level, pay, pay, frozenset(named(skills)))


def kaggle(file: Path, words: Vocabulary) -> Iterator[Paid]:
    """Answers of residents of the US who told pay and at least one language or framework."""
    with duckdb.connect() as connection:
        answers = f"read_csv('{file}', header = true, all_varchar = true)"
        names = [str(row[0]) for row in connection.execute(f"DESCRIBE FROM {answers}").fetchall()]
        ticked = ", ".join(f'trim("{name}")' for name in names if name.startswith(("Q12_", "Q17_")))
        rows = connection.execute(
            f"SELECT Q23, Q29, list_filter([{ticked}], lambda each: each NOT IN ('', 'None', 'Other')) "  # noqa: S608  # names of columns
            f"FROM {answers} WHERE Q4 = 'United States of America' AND Q29 IS NOT NULL"
        ).fetchall()
    for title, bracket, skills in rows:
        role = role_of(title, words.titles).role_id
        if role and skills:
            yield Paid(role, "all", *bracket_ends(bracket), frozenset(named(skills)))


def bracket_ends(bracket: str) -> tuple[float, float]:
    """The ends of "25,000-29,999" (25,000 and 30,000); the highest bracket has no upper end."""
    least, _, most = bracket.strip("$>").replace(",", "").partition("-")
    return float(least), float(most) + 1 if most else math.inf


def named(skills: Iterable[str]) -> Iterator[str]:
    """Skills by the names that readers know."""
    for skill in skills:
        plain = skill.strip().lower()
        if plain not in WORDS:
            yield NAMES.get(plain, plain[:1].upper() + plain[1:])


def quantile(pays: Sequence[Paid], share: float) -> float:
    """A quantile, between the two around it; within a bracket as if answers were spread evenly over it."""
    ordered = sorted(pays, key=lambda each: (each.least, each.most))
    if ordered[0].least == ordered[0].most:
        place = (len(ordered) - 1) * share
        below, above = ordered[math.floor(place)].least, ordered[math.ceil(place)].least
        return below + (above - below) * (place - math.floor(place))
    place = len(ordered) * share
    here = ordered[min(math.floor(place), len(ordered) - 1)]
    before = sum(each.least < here.least for each in ordered)
    inside = sum(each.least == here.least for each in ordered)
    return here.least + (here.most - here.least) * (place - before) / inside


def interval(pays: Sequence[Paid]) -> tuple[float, float]:
    """The 95% interval of the median, by order statistics; of brackets, their outer ends."""
    ordered, n = sorted(pays, key=lambda each: (each.least, each.most)), len(pays)
    lower = max(1, math.floor((n - 1.96 * math.sqrt(n)) / 2))
    upper = min(n, math.ceil(1 + (n + 1.96 * math.sqrt(n)) / 2))
    return ordered[lower - 1].least, ordered[upper - 1].most


def figures(pays: Sequence[Paid]) -> Iterator[dict[str, Any]]:
    """A row for every role, level and skill with LEAST on either side."""
    for role, level in sorted({(each.role_id, each.level) for each in pays}):
        group = [each for each in pays if (each.role_id, each.level) == (role, level)]
        for skill in sorted({skill for each in group for skill in each.skills}):
            own = [each for each in group if skill in each.skills]
            rest = [each for each in group if skill not in each.skills]
            if min(len(own), len(rest)) >= LEAST:
                p25, median, p75 = (round(quantile(own, share)) for share in QUARTILES)
                lower, upper = (round(each) for each in interval(own))
                lower_without, upper_without = (round(each) for each in interval(rest))
                yield {
                    "role_id": role,
                    "seniority": level,
                    "skill": skill,
                    "n_with": len(own),
                    "p25_with_usd": p25,
                    "median_with_usd": median,
                    "p75_with_usd": p75,
                    "lower_with_usd": lower,
                    "upper_with_usd": upper,
                    "n_without": len(rest),
                    "median_without_usd": round(quantile(rest, 0.5)),
                    "lower_without_usd": lower_without,
                    "upper_without_usd": upper_without,
                }


def skill_pay(folder: Path, data: Path) -> list[dict[str, Any]]:
    """The rows of the table `skill_pay`."""
    words = Vocabulary(data)
    sources = (
        (
            "data_jobs",
            "luke-barousse-2024-github-com-excel-data-analytics-course",
            2023,
            data_jobs,
            DATA_JOBS,
        ),
        ("kaggle", "kaggle-2022-github-com-united-states-kaggle-survey-analysis", 2022, kaggle, KAGGLE),
    )
    return [
        {"source": source, "source_id": source_id, "year": year, "entity_id": "USA", **row}
        for source, source_id, year, read, file in sources
        for row in figures(list(read(folder / file, words)))
    ]


if __name__ == "__main__":
    rows = skill_pay(Path(sys.argv[1]), Settings().data)
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
