"""Every source of microdata: what is sound, what is bad and why, on files of ours and on the real ones."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import duckdb
import pytest

from etl.errors import ImportRefusedError, TooManyBadRowsError
from etl.salaries import READERS, ImportResult, import_files
from etl.settings import Settings
from etl.snapshots import REJECTS, ROWS, Store
from tests.etl.microdata_files import SHIPPED, raw

# Of each source: name of a file, and a sound row.
FILES: dict[str, tuple[str, dict[str, object]]] = {
    "aijobs": (
        "salaries.csv",
        {
            "work_year": 2025,
            "experience_level": "SE",
            "employment_type": "FT",
            "job_title": "AI Engineer",
            "salary_currency": "USD",
            "salary_in_usd": 150_000,
            "employee_residence": "US",
            "remote_ratio": 0,
            "company_location": "US",
            "company_size": "M",
        },
    ),
    "stackoverflow": (
        "survey_2025.csv",
        {
            "DevType": "AI/ML engineer",
            "Country": "France",
            "Employment": "Employed",
            "RemoteWork": "Remote",
            "ConvertedCompYearly": 90_000,
        },
    ),
    "data_jobs": (
        "data_jobs.csv",
        {
            "job_title_short": "Data Scientist",
            "job_title": "Data Scientist",
            "job_schedule_type": "Full-time",
            "job_work_from_home": "False",
            "job_posted_date": "2023-05-01 10:00:00",
            "job_country": "United States",
            "salary_rate": "year",
            "salary_year_avg": 140_000.0,
        },
    ),
    "lca": (
        "lca.csv",
        {
            "CASE_STATUS": "Certified",
            "DECISION_DATE": "2024-10-01",
            "SOC_TITLE": "Data Scientists",
            "PREVAILING_WAGE": 120_000,
        },
    ),
    "kaggle": (
        "brackets.csv",
        {"survey_year": 2022, "country": "France", "usd_bracket": "50,000-59,999", "respondents": 12},
    ),
    "oews": (
        "state_M2024_dl.csv",
        {
            "AREA_TITLE": "Georgia",
            "PRIM_STATE": "GA",
            "OCC_CODE": "15-2051",
            "OCC_TITLE": "Data Scientists",
            "TOT_EMP": "5,110",
            "A_MEAN": 120_000,
            "A_PCT10": 70_000,
            "A_PCT25": 90_000,
            "A_MEDIAN": 110_000,
            "A_PCT75": "#",
            "A_PCT90": "*",
        },
    ),
    "h1b": (
        "h1b.csv",
        {
            "Fiscal Year": 2023,
            "Employer": "EXAMPLE LLC",
            "Initial Approval": 3,
            "Initial Denial": 0,
            "Continuing Approval": 5,
            "Continuing Denial": 1,
            "NAICS": 54,
            "State": "WA",
            "City": "EVERETT",
        },
    ),
}
# What is done to one row of a sound file, and the reason why it is rejected then.
BAD: dict[str, dict[str, dict[str, object]]] = {
    "aijobs": {
        "negative pay": {"salary_in_usd": -5},
        "pay below 1,000 USD a year": {"salary_in_usd": 1},
        "pay above 5,000,000 USD a year": {"salary_in_usd": 10**12},
        "unknown currency": {"salary_currency": "XXQ"},
        "unknown country": {"company_location": "ZZ"},
        "title too long": {"job_title": "x" * 300},
        "line too long": {"job_title": "x" * 1_000_000},
    },
    "stackoverflow": {
        "negative pay": {"ConvertedCompYearly": -5},
        "pay below 1,000 USD a year": {"ConvertedCompYearly": 1},
        "pay above 5,000,000 USD a year": {"ConvertedCompYearly": 10**12},
        "pay is no number": {"ConvertedCompYearly": "much"},
        "unknown country": {"Country": "Atlantis"},
        "line too long": {"DevType": "x" * 1_000_000},
    },
    "data_jobs": {
        "negative pay": {"salary_year_avg": -5},
        "pay below 1,000 USD a year": {"salary_year_avg": 1},
        "pay above 5,000,000 USD a year": {"salary_year_avg": 10**12},
        "year": {"job_posted_date": "yesterday"},
        "unknown country": {"job_country": "Atlantis"},
        "line too long": {"job_title": "x" * 1_000_000},
    },
    "lca": {
        "negative pay": {"PREVAILING_WAGE": -5},
        "pay below 1,000 USD a year": {"PREVAILING_WAGE": 1},
        "pay above 5,000,000 USD a year": {"PREVAILING_WAGE": 10**12},
        "no title": {"SOC_TITLE": ""},
        "line too long": {"SOC_TITLE": "x" * 1_000_000},
    },
    "kaggle": {
        "negative count": {"respondents": -5},
        "absurd count": {"respondents": 10**12},
        "count is no number": {"respondents": "some"},
        "unknown country": {"country": "Atlantis"},
        "bracket is no amount": {"usd_bracket": "plenty"},
        "bracket upside down": {"usd_bracket": "60,000-50,000"},
        "year": {"survey_year": 22},
        "line too long": {"country": "x" * 1_000_000},
    },
    "oews": {
        "absurd wage": {"A_MEDIAN": 10**12},
        "percentiles out of order": {"A_PCT10": 100_000},
        "absurd number of jobs": {"TOT_EMP": 10**12},
        "occupation code": {"OCC_CODE": "data scientist"},
        "no area": {"AREA_TITLE": ""},
        "line too long": {"AREA_TITLE": "x" * 1_000_000},
    },
    "h1b": {
        "negative count": {"Initial Approval": -5},
        "absurd count": {"Continuing Approval": 10**12},
        "count is no number": {"Initial Approval": "one"},
        "year": {"Fiscal Year": 9999},
        "line too long": {"Employer": "x" * 1_000_000},
    },
}
SOUND = 200


def lines(source: str, *changes: dict[str, object]) -> bytes:
    """A file of sound rows, with one more for each change."""
    _, sound = FILES[source]
    written = io.StringIO()
    table = csv.DictWriter(written, list(sound), lineterminator="\n")
    table.writeheader()
    table.writerows([sound] * SOUND)
    table.writerows({**sound, **change} for change in changes)
    return written.getvalue().encode()


def imported(folder: Path, source: str, content: bytes, suffix: str = "") -> ImportResult:
    file = folder / (FILES[source][0] + suffix)
    file.write_bytes(content)
    return import_files(source, [file], Settings(home=folder / "home", data=SHIPPED))


def rejects(result: ImportResult) -> list[tuple[object, ...]]:
    kept = result.snapshot.folder / REJECTS
    return duckdb.execute(f"SELECT line, reason FROM '{kept}' ORDER BY ALL").fetchall()


def test_every_source_has_its_cases() -> None:
    assert set(FILES) == set(BAD) == set(READERS)
    assert all("line too long" in changes for changes in BAD.values())


@pytest.mark.parametrize("source", READERS)
def test_every_bad_row_of_any_source_is_counted_and_kept(source: str, tmp_path: Path) -> None:
    reasons = BAD[source]
    result = imported(tmp_path, source, lines(source, *reasons.values(), {}))
    found = result.manifest
    assert found["rejected"] == dict.fromkeys(reasons, 1)
    assert (found["rows"], found["accepted"]) == (SOUND + len(reasons) + 1, SOUND + 1)
    assert rejects(result) == [(place, reason) for place, reason in enumerate(reasons, SOUND + 2)]


@pytest.mark.parametrize("source", READERS)
def test_quotes_and_bytes_cost_one_row_of_any_source(source: str, tmp_path: Path) -> None:
    good = lines(source)
    row = good.splitlines()[1]
    content = good + b'"' + row.replace(b'"', b"") + b"\n" + row + b"\xe9\n" + row + b"\n"
    assert rejects(imported(tmp_path, source, content)) == [
        (SOUND + 2, "quote never closed"),
        (SOUND + 3, "not UTF-8"),
    ]


@pytest.mark.parametrize("source", READERS)
def test_a_file_of_any_source_that_cannot_be_used_is_refused(source: str, tmp_path: Path) -> None:
    good = lines(source)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", good + b"0" * 60_000_000)
    worst = next(iter(BAD[source].values()))
    refused: tuple[tuple[bytes, str, str], ...] = (
        (b"a,b\n1,2\n", "", "is no file of"),
        (gzip.compress(good)[:-9], ".gz", "damaged or incomplete"),
        (bomb.getvalue(), ".zip", "unpacks to more than"),
        (lines(source, *[worst] * 20), "", "20 of 220 rows are bad, more than 5%"),
    )
    for content, suffix, words in refused:
        with pytest.raises(ImportRefusedError, match=words):
            imported(tmp_path, source, content, suffix)
        assert not Store(tmp_path / "home").current()
    assert issubclass(TooManyBadRowsError, ImportRefusedError)


# --- the real files ---------------------------------------------------------------------------------------

REAL = {
    ("stackoverflow", "stackoverflow_survey/respondents_2023.csv.gz"): (85_263, 47_305, 699),
    ("stackoverflow", "stackoverflow_survey/compensation_2025.csv.gz"): (23_947, 23_211, 736),
    ("stackoverflow", "stackoverflow_survey/compensation_2024_capped.csv.gz"): (22_274, 21_738, 536),
    ("stackoverflow", "stackoverflow_survey/respondents_2019.csv.gz"): (88_883, 55_252, 571),
    ("stackoverflow", "stackoverflow_survey/us_salaries_2023_with_misctech.csv.gz"): (11_341, 11_277, 64),
    ("data_jobs", "data_jobs/data_jobs_salary_2023.csv.gz"): (32_672, 22_036, 0),
    ("lca", "h1b/lca_fy2021q1_partial.csv.gz"): (12_940, 12_940, 0),
    ("kaggle", "kaggle_survey/salary_bracket_by_country_2018_2022.csv.gz"): (3_881, 3_694, 0),
    ("kaggle", "kaggle_survey/salary_bracket_by_job_title_2018_2022.csv.gz"): (1_250, 1_230, 0),
    ("oews", "bls_oews/oews_2024_data_scientists_by_metro.csv"): (263, 263, 0),
    ("oews", "bls_oews/oews_2023_state_selected_occupations.csv.gz"): (2_278, 2_278, 0),
    ("oews", "bls_oews/oews_2017_large_metros_computer_math.csv.gz"): (219, 219, 0),
    ("oews", "bls_oews/oews_2000_2010_metro_tech_jobs.csv.gz"): (8_873, 8_873, 0),
    ("h1b", "h1b/uscis_employer_hub_fy2020.csv.gz"): (55_239, 55_239, 0),
}


@pytest.mark.parametrize(("source", "name"), REAL)
def test_a_real_file_is_taken_and_what_is_not_is_counted(source: str, name: str, tmp_path: Path) -> None:
    result = import_files(source, [raw(name)], Settings(home=tmp_path / "home", data=SHIPPED))
    found = result.manifest
    bad, left_out = sum(found["rejected"].values()), sum(found["left_out"].values())
    assert (found["rows"], found["accepted"], bad) == REAL[source, name]
    assert found["rows"] == found["accepted"] + bad + left_out
    if source in {"kaggle", "oews", "h1b"}:
        assert (result.snapshot.folder / ROWS).is_file()


@pytest.mark.parametrize("name", ["salaries_2024-03-31", "salaries_2025-01-19", "salaries_2025-06-22"])
def test_every_vintage_is_taken_whole(name: str, tmp_path: Path) -> None:
    result = import_files(
        "aijobs", [raw(f"aijobs_salaries/vintages/{name}.csv.gz")], Settings(home=tmp_path, data=SHIPPED)
    )
    assert result.manifest["rejected"] == {}
    assert result.manifest["titles"]["unmapped"] == 0


def test_a_bracket_is_read_as_it_is_meant(tmp_path: Path) -> None:
    file = raw("kaggle_survey/salary_bracket_by_country_2018_2022.csv.gz")
    found = import_files("kaggle", [file], Settings(home=tmp_path, data=SHIPPED)).snapshot.content
    brackets = dict(
        duckdb.execute(f"SELECT DISTINCT least_usd, most_usd FROM '{found}' WHERE year = 2018").fetchall()
    )
    assert (brackets[0], brackets[10_000], brackets[100_000], brackets[500_000]) == (
        10_000,
        20_000,
        125_000,
        None,
    )
    ((country,),) = duckdb.execute(f"SELECT DISTINCT country FROM '{found}' WHERE country = 'TUR'").fetchall()
    assert country == "TUR"


def test_a_bracket_of_an_unknown_country_is_never_taken_for_one_of_the_world(tmp_path: Path) -> None:
    counts = [f'2022,France,"1,000-1,999",{number}' for number in range(30)] + [
        '2022,Atlantis,"0-999",5',
        "2022,ALL,0-999,9",
    ]
    content = "\n".join(["survey_year,country,usd_bracket,respondents", *counts, ""]).encode()
    result = imported(tmp_path, "kaggle", content)
    assert result.manifest["rejected"] == {"unknown country": 1}
    kept = duckdb.execute(
        f"SELECT country, sum(respondents) FROM '{result.snapshot.content}' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert kept == [("FRA", 435), (None, 9)]


def test_each_source_says_where_a_user_refreshes_it() -> None:
    assert all(reader.address.startswith("https://") for reader in READERS.values())


def test_answers_give_the_counts_that_others_made_of_them(tmp_path: Path) -> None:
    """The file of all answers of 2022, read as it is, against counts made from it by somebody else."""
    subjects = ("country", "job_title")
    files = {
        "answers": [raw("kaggle_survey/kaggle_survey_2022_responses.csv.gz")],
        "counts": [raw(f"kaggle_survey/salary_bracket_by_{each}_2018_2022.csv.gz") for each in subjects],
    }
    rows = {}
    for name, paths in files.items():
        result = import_files("kaggle", paths, Settings(home=tmp_path / name, data=SHIPPED))
        rows[name] = f"(FROM '{result.snapshot.content}' WHERE year = 2022)"
        if name == "answers":
            assert result.manifest["left_out"] == {"no pay stated": 15_861, "text of the questions": 1}
            assert result.manifest["accepted"] == 8_136
    told = "title IS NOT NULL OR country IS NOT NULL"
    for one, other in (("answers", "counts"), ("counts", "answers")):
        missing = f"(FROM {rows[one]} WHERE {told}) EXCEPT ALL (FROM {rows[other]} WHERE {told})"
        assert duckdb.execute(missing).fetchall() == []
    of_all = f"SELECT sum(respondents)::BIGINT FROM {rows['answers']} WHERE title IS NULL AND country IS NULL"
    assert duckdb.execute(of_all).fetchone() == (8_136,)
    both = [*files["answers"], *files["counts"]]
    with pytest.raises(ImportRefusedError, match="the answers of 2022 and counts of them"):
        import_files("kaggle", both, Settings(home=tmp_path / "both", data=SHIPPED))


def test_a_ceiling_is_no_wage(tmp_path: Path) -> None:
    """Old files print the ceiling itself where later ones print a sign."""
    file = raw("bls_oews/oews_2000_2010_metro_tech_jobs.csv.gz")
    found = import_files("oews", [file], Settings(home=tmp_path, data=SHIPPED)).snapshot.content
    ((highest,),) = duckdb.execute(f"SELECT max(p90_usd) FROM '{found}' WHERE year = 2000").fetchall()
    assert highest < 145_601


def test_price_levels_beside_the_wages_are_left_aside(tmp_path: Path) -> None:
    folder = raw("bls_oews/bea_regional_price_parity_2023.csv").parent
    found = import_files("oews", [folder], Settings(home=tmp_path, data=SHIPPED)).manifest
    assert found["left_aside"] == ["bea_regional_price_parity_2023.csv"]
    assert (found["accepted"], found["rejected"]) == (11_633, {})
