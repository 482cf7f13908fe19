"""The .sql files: what their first lines declare."""

from __future__ import annotations

import pytest

from etl.rules import Rule, header_and_body, load_rules

RULES = [*load_rules("package"), *load_rules("mart")]


def test_the_comment_on_top_is_split_from_the_statement() -> None:
    header, body = header_and_body("-- stage: mart\n-- What holds.\nSELECT 1 -- one\nFROM t;\n")
    assert header == ["stage: mart", "What holds."]
    assert body == "SELECT 1 -- one\nFROM t"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_in_a_sentence_what_must_hold(rule: Rule) -> None:
    assert rule.severity in {"blocking", "warning"}
    assert rule.description[0].isupper()
    assert rule.description.endswith(".")
    assert "_" not in rule.name


def test_a_rule_of_the_package_always_blocks() -> None:
    assert {rule.severity for rule in load_rules("package")} == {"blocking"}
