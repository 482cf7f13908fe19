"""The gate: what a person should look at before a build with other live figures is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import AtlasError
from etl.gate import reasons_to_hold

MOST_PERCENT = 20.0
YEARS = tuple(str(year) for year in range(1990, 2000))


@dataclass(frozen=True)
class Figure:
    """One live figure of a build."""

    value: float
    period: str = "1990"
    entity: str = "USA"
    unit: str = "percent"
    source: str = "live-example"


def build(path: Path, figures: Mapping[str, Figure], *, restates: bool = False) -> Path:
    """A file with the tables that the gate looks at."""
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as connection:
        connection.execute(
            """
            CREATE TABLE metric (metric_id VARCHAR, label VARCHAR);
            INSERT INTO metric VALUES ('share', 'Share of postings');
            CREATE TABLE entity (entity_id VARCHAR, name VARCHAR);
            INSERT INTO entity VALUES ('USA', 'United States'), ('FRA', 'France');
            CREATE TABLE live_source (source_id VARCHAR, title VARCHAR, restates BOOLEAN);
            CREATE TABLE live_observation (
                claim_id VARCHAR, entity_id VARCHAR, period VARCHAR, source_id VARCHAR, value DOUBLE,
                unit_id VARCHAR, metric_id VARCHAR DEFAULT 'share', segment VARCHAR, population VARCHAR,
                series VARCHAR, place_id VARCHAR
            );
            """
        )
        connection.execute("INSERT INTO live_source VALUES ('live-example', 'Example table', ?)", [restates])
        rows = [
            (name, each.entity, each.period, each.source, each.value, each.unit)
            for name, each in figures.items()
        ]
        if rows:
            connection.execute(
                "INSERT INTO live_observation (claim_id, entity_id, period, source_id, value, unit_id) "
                "SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)",
                [list(column) for column in zip(*rows, strict=True)],
            )
    return path


@dataclass(frozen=True)
class Gate:
    """A folder with two builds."""

    folder: Path

    def reasons(
        self, old: Mapping[str, Figure], new: Mapping[str, Figure], *, restates: bool = False
    ) -> list[str]:
        before = build(self.folder / "it's old.duckdb", old, restates=restates)
        after = build(self.folder / "new.duckdb", new, restates=restates)
        return reasons_to_hold(before, after, MOST_PERCENT)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def decade() -> dict[str, Figure]:
    """Ten years of one series, the last of which is the open one."""
    return {year: Figure(float(number), period=year) for number, year in enumerate(YEARS, 10)}


def changed(figures: Mapping[str, Figure], factor: float, *periods: str) -> dict[str, Figure]:
    return {
        name: replace(each, value=each.value * factor) if each.period in periods else each
        for name, each in figures.items()
    }


def test_the_same_figures_and_further_ones_pass(gate: Gate, decade: dict[str, Figure]) -> None:
    assert gate.reasons(decade, decade) == []
    assert gate.reasons(decade, decade | {"next": Figure(20.0, period="2000")}) == []
    assert gate.reasons({}, decade) == []


def test_a_series_that_vanished_is_named(gate: Gate, decade: dict[str, Figure]) -> None:
    french = {f"f{year}": replace(each, entity="FRA") for year, each in decade.items()}
    reasons = gate.reasons(decade | french, decade)
    assert reasons[0] == "Example table: 1 series vanished: Share of postings, France"


def test_one_figure_of_a_series_may_go(gate: Gate, decade: dict[str, Figure]) -> None:
    assert gate.reasons(decade, {name: each for name, each in decade.items() if name != "1990"}) == []


def test_a_source_that_is_gone_altogether_is_named_by_its_id(gate: Gate, decade: dict[str, Figure]) -> None:
    lost = {f"l{year}": replace(each, source="live-lost") for year, each in decade.items()}
    assert any(
        each.startswith("live-lost: 1 series vanished") for each in gate.reasons(decade | lost, decade)
    )


def test_another_unit_is_told(gate: Gate, decade: dict[str, Figure]) -> None:
    new = {name: replace(each, unit="count") for name, each in decade.items()}
    assert "Example table: the unit of Share of postings went from percent to count" in gate.reasons(
        decade, new
    )


@pytest.mark.parametrize("factor", [1000, 0.01])
@pytest.mark.parametrize("restates", [True, False])
def test_a_jump_of_all_values_looks_like_another_unit(
    gate: Gate, decade: dict[str, Figure], factor: float, restates: bool
) -> None:
    reasons = gate.reasons(decade, changed(decade, factor, *YEARS), restates=restates)
    assert any(f"was multiplied by {factor:.3g}" in each for each in reasons)


def test_closed_periods_may_change_up_to_the_limit(gate: Gate, decade: dict[str, Figure]) -> None:
    assert gate.reasons(decade, changed(decade, 1.1, "1990")) == []
    (reason,) = gate.reasons(decade, changed(decade, 1.1, "1990", "1991"))
    assert reason == "Example table: 22% of 9 figures for closed periods changed or went; 20% are allowed"


def test_figures_of_closed_periods_that_went_count_as_changed(gate: Gate, decade: dict[str, Figure]) -> None:
    new = {name: each for name, each in decade.items() if name not in {"1990", "1991"}}
    (reason,) = gate.reasons(decade, new)
    assert "22% of 9 figures" in reason


def test_the_open_period_may_change_as_it_likes(gate: Gate, decade: dict[str, Figure]) -> None:
    assert gate.reasons(decade, changed(decade, 3.0, "1999")) == []


def test_a_source_that_restates_is_not_held_for_small_revisions(
    gate: Gate, decade: dict[str, Figure]
) -> None:
    assert gate.reasons(decade, changed(decade, 1.3, *YEARS), restates=True) == []
    (reason,) = gate.reasons(decade, changed(decade, 1.6, *YEARS), restates=True)
    assert "100% of 9 figures" in reason


def test_a_few_figures_are_no_measure(gate: Gate, decade: dict[str, Figure]) -> None:
    few = {name: each for name, each in decade.items() if name < "1995"}
    assert gate.reasons(few, changed(few, 1.1, *YEARS)) == []


def test_a_build_of_the_time_before_live_sources_holds_nothing_back(gate: Gate, tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "first.duckdb") as connection:
        connection.execute("CREATE TABLE claim (claim_id VARCHAR)")
    new = build(tmp_path / "second.duckdb", {"a": Figure(1.0)})
    assert reasons_to_hold(tmp_path / "first.duckdb", new, MOST_PERCENT) == []


def test_a_build_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"no warehouse")
    new = build(tmp_path / "new.duckdb", {"a": Figure(1.0)})
    with pytest.raises(AtlasError, match="cannot be compared"):
        reasons_to_hold(tmp_path / "broken.duckdb", new, MOST_PERCENT)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moved=st.sets(st.sampled_from(YEARS[:-1])))
def test_held_exactly_where_more_than_the_limit_changed(gate: Gate, moved: set[str]) -> None:
    old = {year: Figure(10.0, period=year) for year in YEARS}
    held = bool(gate.reasons(old, changed(old, 2.0, *moved)))
    assert held == (100 * len(moved) / 9 > MOST_PERCENT)
