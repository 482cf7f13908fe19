"""What changed between two builds, claim by claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.build import build
from etl.diff import Difference, diff
from etl.settings import Settings
from tests.etl.package_copy import PackageCopy

FORECASTS = "market/forecasts.csv"


@pytest.fixture
def compared(package_copy: PackageCopy, tmp_path: Path) -> tuple[Difference, dict[str, str]]:
    """One value changed, one claim added, one withdrawn; and the row that was changed, as it was."""
    settings = Settings(home=tmp_path / "home", data=package_copy.folder)
    withdrawn = package_copy.forecast("MF997", forecast_year="2030", forecast_value_usd_bn="10")
    old = build(settings).build
    rows = package_copy.rows(FORECASTS)
    del rows[withdrawn - 2]
    package_copy.write(FORECASTS, rows)
    row = next(n for n, cells in enumerate(rows, 2) if cells["forecast_value_usd_bn"])
    before = package_copy.edit(FORECASTS, row, forecast_value_usd_bn="12345", note="reworded")
    package_copy.forecast("MF998", forecast_year="2031", forecast_value_usd_bn="20")
    return diff(old, build(settings).build), before


def test_added_withdrawn_and_changed_claims_are_told(compared: tuple[Difference, dict[str, str]]) -> None:
    difference, before = compared
    assert difference.counts() == {"added": 1, "withdrawn": 1, "changed": 1}
    by_kind = {change.kind: change for change in difference.changes}
    assert by_kind["added"].claim_id == "MF998"
    assert by_kind["withdrawn"].claim_id == "MF997"
    assert by_kind["changed"].claim_id == before["claim_id"]


def test_a_changed_value_is_told_from_to_and_by_how_much(compared: tuple[Difference, dict[str, str]]) -> None:
    difference, before = compared
    change = next(change for change in difference.changes if change.kind == "changed")
    old = float(before["forecast_value_usd_bn"])
    assert (change.old_value, change.new_value) == (old, 12345.0)
    assert change.relative == pytest.approx(12345.0 / old - 1)
    assert change.fields == ("value",)


def test_changes_are_counted_by_source_and_metric(compared: tuple[Difference, dict[str, str]]) -> None:
    difference, _ = compared
    groups = difference.by_source()
    assert {metric for _, metric in groups} == {"Market forecasts"}
    assert [sum(counts.values()) for counts in groups.values()] == sorted(
        (sum(counts.values()) for counts in groups.values()), reverse=True
    )
    document = difference.as_dict()
    assert sum(each["added"] + each["withdrawn"] + each["changed"] for each in document["by_source"]) == 3
    assert all(each["source"] and each["metric"] for each in document["by_source"])


def test_a_build_does_not_differ_from_itself(built_settings: Settings) -> None:
    same = build(built_settings).build
    assert diff(same, same).changes == ()


@pytest.fixture
def built_settings(package_copy: PackageCopy, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", data=package_copy.folder)
