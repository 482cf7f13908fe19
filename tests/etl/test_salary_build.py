"""Pay records in a build: what ships, what an import adds; a build stays a function of its inputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from etl.build import build, needs_build
from etl.errors import AtlasError
from etl.salaries import import_files
from etl.settings import Settings
from etl.snapshots import CELLS, Store
from etl.warehouse import Build, Home, open_read_only
from tests.etl.microdata_files import SHIPPED, row, text
from tests.etl.package_copy import PackageCopy


def ask(built: Build, sql: str) -> list[tuple[object, ...]]:
    with open_read_only(built.path) as connection:
        return connection.execute(sql).fetchall()


def test_the_shipped_cells_are_there_on_first_start(home: Home) -> None:
    current = home.current()
    assert current
    ((rows, accepted, rejected, shipped),) = ask(
        current, "SELECT rows, accepted, rejected, is_shipped FROM pay_import WHERE source = 'aijobs'"
    )
    assert (rows, accepted, rejected, shipped) == (151_445, 151_445, 0, True)
    ((reports, roles, family),) = ask(
        current,
        "SELECT sum(reports), count(DISTINCT role_id), sum(reports) FILTER (family LIKE 'Generative%') "
        "FROM salary_cell",
    )
    assert (reports, roles, family) == (116_701, 31, 14_270)


def test_every_title_is_told_with_its_role_or_the_reason_why_it_has_none(home: Home) -> None:
    current = home.current()
    assert current
    sql = "SELECT coalesce(excluded_because, state), sum(reports)::BIGINT FROM salary_title GROUP BY ALL"
    states = {str(name): int(str(count)) for name, count in ask(current, sql)}
    assert states["a role, reviewed"] == 116_701
    assert states["general title"] == 30_792
    assert sum(states.values()) == 151_445
    ((clinical,),) = ask(current, "SELECT state FROM salary_title WHERE title = 'clinical aide'")
    assert clinical == "no role, reviewed"


@pytest.fixture
def with_vocabulary(package_copy: PackageCopy) -> PackageCopy:
    """A small package that knows every title, country and source, and ships no cells."""
    for name in ("country_names.csv", "role_titles.csv", "roles.csv"):
        shutil.copy(SHIPPED / "salaries" / name, package_copy.path("salaries") / name)
    for name in ("entities.csv", "places/countries.csv"):
        if not package_copy.path(name).is_file():
            pytest.fail(f"the small package has no {name}")
    return package_copy


def test_an_import_is_an_input_of_the_next_build(with_vocabulary: PackageCopy, tmp_path: Path) -> None:
    settings = with_vocabulary.settings(tmp_path / "home")
    file = tmp_path / "salaries.csv"
    file.write_bytes(text([row(120_000), row(100_000), *[row(90_000, title="Gardener")] * 12]))
    before = build(settings).build
    assert ask(before, "SELECT count(*) FROM salary_cell") == [(0,)]
    assert not needs_build(settings)
    import_files("aijobs", [file], Settings(home=settings.home, data=SHIPPED))
    assert needs_build(settings)
    after = build(settings).build
    assert ask(after, "SELECT role_id, salary_k, reports, postings FROM salary_cell ORDER BY salary_k") == [
        ("role-ai-engineer", 100, 1, 0),
        ("role-ai-engineer", 110, 0, 1),
        ("role-ai-engineer", 120, 1, 0),
    ]
    reasons = ask(after, "SELECT kind, reason, records FROM pay_reason")
    assert reasons == [("title without role", "gardener", 12)]
    names = {name for (name,) in ask(after, "SELECT name FROM meta.input WHERE name LIKE 'snapshots/%'")}
    assert {str(name).rsplit("/", 1)[-1] for name in names} == {CELLS, "manifest.json"}
    assert not build(settings).published
    # Without the snapshot the build is again what it was before, to the letter.
    assert Store(settings.home).forget("aijobs")
    assert build(settings).build.content_hash == before.content_hash


def test_a_survey_that_tells_where_people_live_has_countries(
    with_vocabulary: PackageCopy, tmp_path: Path
) -> None:
    settings = with_vocabulary.settings(tmp_path / "home")
    file = tmp_path / "survey_2025.csv"
    file.write_text(
        "DevType,Country,Employment,RemoteWork,ConvertedCompYearly\n"
        "Data scientist,France,Employed,Remote,90000\n",
        encoding="utf-8",
    )
    import_files("stackoverflow", [file], Settings(home=settings.home, data=SHIPPED))
    cells = ask(build(settings).build, "SELECT company_country, residence, country FROM salary_cell")
    assert cells == [(None, "FRA", "FRA")]


def test_a_corrected_role_takes_effect_without_another_import(
    with_vocabulary: PackageCopy, tmp_path: Path
) -> None:
    settings = with_vocabulary.settings(tmp_path / "home")
    file = tmp_path / "salaries.csv"
    file.write_bytes(text([row(120_000, title="AI Engineer")] * 3))
    import_files("aijobs", [file], Settings(home=settings.home, data=SHIPPED))
    titles = with_vocabulary.rows("salaries/role_titles.csv")
    place = next(number for number, each in enumerate(titles, 2) if each["title"] == "ai engineer")
    with_vocabulary.edit("salaries/role_titles.csv", place, role_id="role-llm-engineer")
    assert ask(build(settings).build, "SELECT role_id FROM salary_cell") == [("role-llm-engineer",)]


def test_a_title_needs_a_role_or_a_reason_and_not_both(with_vocabulary: PackageCopy) -> None:
    place = with_vocabulary.add("salaries/role_titles.csv", title="zookeeper")
    (problem,) = with_vocabulary.problems()
    assert f"row {place}" in problem
    assert "needs either a role or a reason" in problem


def test_a_damaged_snapshot_stops_the_build_and_the_old_one_is_served(
    with_vocabulary: PackageCopy, tmp_path: Path
) -> None:
    settings = with_vocabulary.settings(tmp_path / "home")
    file = tmp_path / "salaries.csv"
    file.write_bytes(text([row(120_000)] * 3))
    imported = import_files("aijobs", [file], Settings(home=settings.home, data=SHIPPED))
    before = build(settings).build
    imported.snapshot.content.write_bytes(b"damaged")
    with pytest.raises(AtlasError, match="cannot be loaded"):
        build(settings)
    current = Home(settings.home).current()
    assert current
    assert current.build_id == before.build_id
