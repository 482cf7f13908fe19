"""The claims that ship: every figure has its source, nothing is lost, nothing counts twice."""

from __future__ import annotations

from typing import Any

import pytest

from etl.settings import Settings
from etl.warehouse import Home, open_read_only


@pytest.fixture(scope="module")
def ask(built_home: Home) -> Any:
    """Ask the build of the shipped data; the answer is a list of rows."""
    connection = open_read_only(built_home.best()[0].path)

    def answer(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            return cursor.execute(sql).fetchall()

    yield answer
    connection.close()


def test_all_rows_of_the_facts_arrived(ask: Any) -> None:
    assert ask("SELECT count(*) FROM forecast") == [(292,)]
    assert ask("SELECT count(*) FROM investment") == [(251,)]
    assert ask("SELECT count(*) FROM workforce") == [(1301,)]


def test_every_claim_has_a_source_with_an_address_and_terms(ask: Any) -> None:
    without = (
        "SELECT claim_id FROM claim LEFT JOIN source USING (source_id) LEFT JOIN licence USING (licence_id) "
        "WHERE source.url IS NULL OR source.carrier IS NULL OR licence.name IS NULL"
    )
    assert ask(without) == []


def test_every_source_is_used(ask: Any) -> None:
    assert ask("SELECT offending_rows FROM meta.check_result WHERE name = 'sources-are-used'") == [(0,)]


def test_every_claim_is_listed_once(ask: Any) -> None:
    ((claims, distinct, rows),) = ask(
        "SELECT count(*), count(DISTINCT claim_id), "
        "(SELECT count(*) FROM forecast) + (SELECT count(*) FROM observation) FROM claim"
    )
    assert claims == distinct
    assert claims >= rows


def test_no_blocking_rule_is_broken(ask: Any) -> None:
    assert ask("SELECT name FROM meta.check_result WHERE severity = 'blocking' AND offending_rows > 0") == []


@pytest.mark.parametrize(
    ("headline_id", "value"),
    [
        ("market-2034", 1000),
        ("market-growth", 44.2),
        ("professionals", 944_000),
        ("professionals-added", 151_000),
        ("startups", 6_020),
        ("companies", 16_520),
    ],
)
def test_the_headlines_show_the_published_figures(headline_id: str, value: float, ask: Any) -> None:
    found = ask(f"SELECT value, publisher, url FROM headline_figure WHERE headline_id = '{headline_id}'")
    ((shown, publisher, url),) = found
    assert shown == value
    assert publisher
    assert url.startswith("http")


def test_there_are_six_headlines(ask: Any) -> None:
    assert ask("SELECT count(*), count(DISTINCT position) FROM headline_figure") == [(6, 6)]


def test_89_forecasts_can_be_audited_and_14_miss_their_target_by_more_than_10_percent(ask: Any) -> None:
    assert ask("SELECT count(*) FROM forecast_arithmetic WHERE verdict <> 'not checkable'") == [(89,)]
    missed = "SELECT count(*) FROM forecast_arithmetic WHERE abs(relative_error_pct) > 10"
    assert ask(missed) == [(14,)]
    assert ask(missed + " AND verdict = 'consistent'") == [(0,)]


def test_an_inconsistent_forecast_fits_at_no_reading(ask: Any) -> None:
    """Told a second way: the rounding of the printed target alone explains none of them."""
    close = ask(
        "SELECT claim_id FROM forecast_arithmetic JOIN forecast_rounding USING (claim_id) "
        "WHERE verdict = 'inconsistent' "
        "AND abs(implied_target_usd_bn - forecast_value_usd_bn) <= target_half"
    )
    assert close == []


def test_a_repeat_tells_the_figure_of_its_original_again(ask: Any) -> None:
    """Give or take a rounding, in the same market or of the same metric."""
    other = (
        "SELECT repeat.claim_id FROM forecast AS repeat "
        "JOIN forecast AS original ON original.claim_id = repeat.repeats_claim_id "
        "WHERE repeat.market_id <> original.market_id "
        "OR repeat.forecast_year <> original.forecast_year "
        "OR abs(repeat.forecast_value_usd_bn / original.forecast_value_usd_bn - 1) > 0.01 "
        "OR abs(repeat.cagr_pct - original.cagr_pct) > 0.5"
    )
    assert ask(other) == []
    other = (
        "SELECT repeat.claim_id FROM observation AS repeat "
        "JOIN observation AS original ON original.claim_id = repeat.repeats_claim_id "
        "WHERE repeat.metric_id <> original.metric_id OR repeat.entity_id <> original.entity_id "
        "OR repeat.period <> original.period"
    )
    assert ask(other) == []


def test_repeats_count_nowhere(ask: Any) -> None:
    """A publisher's claims, and what others say beside a headline, are original claims only."""
    ((counted,),) = ask("SELECT sum(own_claims) FROM publisher_rank")
    ((own,),) = ask(
        "SELECT count(*) FROM claim JOIN source USING (source_id) "
        "WHERE NOT is_repeat AND dataset IN ('forecast', 'investment') AND publisher_id IS NOT NULL"
    )
    assert counted == own
    assert ask("SELECT claim_id FROM headline_other JOIN claim USING (claim_id) WHERE is_repeat") == []
    assert ask("SELECT count(*) > 0 FROM claim WHERE is_repeat") == [(True,)]


def test_a_claim_of_nobody_is_shown_as_such(ask: Any) -> None:
    found = ask("SELECT DISTINCT publisher FROM forecast_path WHERE attribution = 'unnamed'")
    assert found == [("Firm not named",)]


def test_the_shipped_package_is_the_default() -> None:
    assert (Settings().data / "datapackage.yaml").is_file()
