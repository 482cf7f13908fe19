"""What is wrong with a data package is told in one sentence a defect, all at once."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from etl.package import read_package
from etl.rules import load_rules
from etl.validation import validate
from tests.etl.package_copy import PackageCopy

FORECASTS = "market/forecasts.csv"
INVESTMENT = "market/investment.csv"
WORKFORCE = "workforce/workforce.csv"
TITLES = "salaries/role_titles.csv"

Edit = Callable[[PackageCopy], object]


def change_line(file: str, row: int, change: Callable[[bytes], bytes]) -> Edit:
    """An edit of one line's bytes."""

    def edit(package: PackageCopy) -> None:
        lines = package.path(file).read_bytes().splitlines(keepends=True)
        lines[row - 1] = change(lines[row - 1])
        package.path(file).write_bytes(b"".join(lines))

    return edit


def without_column(package: PackageCopy) -> None:
    rows = package.rows(FORECASTS)
    for row in rows:
        del row["base_year"]
    package.write(FORECASTS, rows)


def with_column(package: PackageCopy) -> None:
    package.write(FORECASTS, [{**row, "colour": "red"} for row in package.rows(FORECASTS)])


def with_columns_in_another_order(package: PackageCopy) -> None:
    package.write("publishers.csv", [dict(reversed(row.items())) for row in package.rows("publishers.csv")])


def city_at(package: PackageCopy, latitude: str, longitude: str) -> str:
    """Put the first city there, in a country of latitude 10 to 20, longitude 20 to 30; returns that."""
    country = package.edit(
        "places/countries.csv",
        2,
        min_latitude="10",
        max_latitude="20",
        min_longitude="20",
        max_longitude="30",
    )["entity_id"]
    city = package.edit("places/cities.csv", 2, latitude=latitude, longitude=longitude)["entity_id"]
    row = 2 + [each["entity_id"] for each in package.rows("entities.csv")].index(city)
    package.edit("entities.csv", row, parent_id=country)
    return country


CELLS: dict[str, tuple[Edit, str]] = {
    "a source id that is not there": (
        lambda p: p.edit(FORECASTS, 2, source_id="nobody-2031"),
        (
            f"{FORECASTS}, row 2, source_id: 'nobody-2031' is not in sources.csv; add it there or "
            "correct it here [foreign-key]"
        ),
    ),
    "no source": (
        lambda p: p.edit(FORECASTS, 2, source_id=""),
        f"{FORECASTS}, row 2, source_id: the cell is empty, and a value is required [required]",
    ),
    "an entity that is not there": (
        lambda p: p.edit(INVESTMENT, 3, entity_id="atlantis"),
        (
            f"{INVESTMENT}, row 3, entity_id: 'atlantis' is not in entities.csv; add it there or "
            "correct it here [foreign-key]"
        ),
    ),
    "a unit that is not there": (
        lambda p: p.edit(WORKFORCE, 2, unit_id="souls"),
        (
            f"{WORKFORCE}, row 2, unit_id: 'souls' is not in units.csv; add it there or correct it here "
            "[foreign-key]"
        ),
    ),
    "a negative market size": (
        lambda p: p.edit(FORECASTS, 2, forecast_value_usd_bn="-5"),
        f"{FORECASTS}, row 2, forecast_value_usd_bn: '-5' is below 0, the smallest value allowed [minimum]",
    ),
    "a growth rate above all reason": (
        lambda p: p.edit(FORECASTS, 2, cagr_pct="44200"),
        f"{FORECASTS}, row 2, cagr_pct: '44200' is above 1000, the largest value allowed [maximum]",
    ),
    "a year in words": (
        lambda p: p.edit(FORECASTS, 2, base_year="twenty"),
        f"{FORECASTS}, row 2, base_year: 'twenty' is not a whole number [type]",
    ),
    "a year long gone": (
        lambda p: p.edit(FORECASTS, 2, base_year="1890"),
        f"{FORECASTS}, row 2, base_year: '1890' is below 2000, the smallest value allowed [minimum]",
    ),
    "a thousands separator": (
        lambda p: p.edit(FORECASTS, 2, forecast_value_usd_bn="1,300"),
        f"{FORECASTS}, row 2, forecast_value_usd_bn: '1,300' is not a plain number like 1300.5 [type]",
    ),
    "no number at all": (
        lambda p: p.edit(FORECASTS, 2, forecast_value_usd_bn="NaN"),
        f"{FORECASTS}, row 2, forecast_value_usd_bn: 'NaN' is not a plain number like 1300.5 [type]",
    ),
    "infinity": (
        lambda p: p.edit(WORKFORCE, 2, value="inf"),
        f"{WORKFORCE}, row 2, value: 'inf' is not a plain number like 1300.5 [type]",
    ),
    "a truth value in other words": (
        lambda p: p.edit("sources.csv", 2, opened="perhaps"),
        "sources.csv, row 2, opened: 'perhaps' is not true or false [type]",
    ),
    "a word that is not in the list": (
        lambda p: p.edit(FORECASTS, 2, attribution="rumour"),
        (
            f"{FORECASTS}, row 2, attribution: 'rumour' is not one of primary, relayed, inferred, "
            "misquoted, "
            "unnamed "
            "[enum]"
        ),
    ),
    "a claim id twice in a table": (
        lambda p: p.edit(FORECASTS, 3, claim_id="MF001"),
        f"{FORECASTS}, row 3, claim_id: 'MF001' stands in row 2 already, and each may occur once [unique]",
    ),
    "a key of two fields twice": (
        lambda p: p.add("headline_comparison.csv", **p.rows("headline_comparison.csv")[0]),
        (
            "headline_comparison.csv, row 7, headline_id, metric_id: 'professionals, ai_professionals' "
            "stands in row 2 already, and each may occur once [unique]"
        ),
    ),
    "a repeat of a forecast that is not there": (
        lambda p: p.edit(FORECASTS, 3, repeats_claim_id="MF999"),
        (
            f"{FORECASTS}, row 3, repeats_claim_id: 'MF999' is not in {FORECASTS}; add it there or "
            "correct it here [foreign-key]"
        ),
    ),
}

FILES: dict[str, tuple[Edit, str]] = {
    "a missing file": (
        lambda p: p.path("sources.csv").unlink(),
        "sources.csv: the file is missing; restore it or edit datapackage.yaml [missing-file]",
    ),
    "an empty file": (
        lambda p: p.path("sources.csv").write_bytes(b""),
        "sources.csv: the file is empty; it needs its header row and its rows [empty-file]",
    ),
    "a header and no rows": (
        lambda p: p.edit_bytes("sources.csv", lambda content: content.splitlines(keepends=True)[0]),
        "sources.csv: the file has a header and no rows; restore them or edit datapackage.yaml [no-rows]",
    ),
    "Latin-1": (
        change_line("sources.csv", 3, lambda line: b"Caf\xe9" + line),
        "sources.csv, row 3: byte 4 of the line is not UTF-8 (Latin-1?); save the file as UTF-8 [encoding]",
    ),
    "UTF-16": (
        lambda p: p.edit_bytes("sources.csv", lambda content: content.decode().encode("utf-16")),
        "sources.csv, row 1: byte 1 of the line is not UTF-8 (Latin-1?); save the file as UTF-8 [encoding]",
    ),
    "a byte-order mark": (
        lambda p: p.edit_bytes("sources.csv", lambda content: b"\xef\xbb\xbf" + content),
        "sources.csv, row 1: the file starts with a byte-order mark; save it without BOM [byte-order-mark]",
    ),
    "a column too few": (
        without_column,
        f"{FORECASTS}, row 1, base_year: the column is missing [missing-column]",
    ),
    "a column too many": (
        with_column,
        (
            f"{FORECASTS}, row 1, colour: the column is not declared; remove it or declare it in "
            "datapackage.yaml "
            "[undeclared-column]"
        ),
    ),
    "columns in another order": (
        with_columns_in_another_order,
        (
            "publishers.csv, row 1: the columns stand in another order than declared: publisher_id, name "
            "[column-order]"
        ),
    ),
    "a row with a cell too many": (
        change_line(FORECASTS, 3, lambda line: line.replace(b"\n", b",more\n")),
        (
            f"{FORECASTS}, row 3: the row has 19 cells where the header has 18; a text with a comma needs "
            "quotes around "
            "it [row-length]"
        ),
    ),
    "a row with cells too few": (
        change_line("sources.csv", 2, lambda line: line.split(b",")[0] + b"\n"),
        "sources.csv, row 2: the row has 1 cells where the header has 10; is a comma missing? [row-length]",
    ),
    "a blank row": (
        change_line(FORECASTS, 3, lambda line: line + b"\n"),
        f"{FORECASTS}, row 4: the row is blank; take it out [blank-row]",
    ),
    "a quote that is never closed": (
        change_line(FORECASTS, 3, lambda line: line.replace(b",", b',"', 1)),
        f"{FORECASTS}, row 3: a quote is opened in this row and never closed properly [open-quote]",
    ),
    "a line of five million bytes": (
        change_line(FORECASTS, 3, lambda line: b"x" * 5_000_000 + b"\n"),
        (
            f"{FORECASTS}, row 3: the line has 5,000,000 bytes, and 1,000,000 are allowed; was a quote "
            "left "
            "open? "
            "[long-line]"
        ),
    ),
    "ten million rows": (
        lambda p: os.truncate(p.path("sources.csv"), 1_500_000_000),
        (
            "sources.csv: the file has 1,500,000,000 bytes, and 64,000,000 are allowed; "
            "claims are kept by hand, is this another data set? [large-file]"
        ),
    ),
}

DESCRIPTORS: dict[str, tuple[Edit, str]] = {
    "no descriptor": (
        lambda p: p.path("datapackage.yaml").unlink(),
        (
            "datapackage.yaml: {folder}/datapackage.yaml cannot be read (No such file or directory); "
            "--data "
            "names the "
            "folder of the data [missing-file]"
        ),
    ),
    "broken YAML": (
        lambda p: p.path("datapackage.yaml").write_text("name: x\nresources: [\n", encoding="utf-8"),
        "datapackage.yaml, row 3: broken YAML: did not find expected node content [broken-yaml]",
    ),
    "YAML in Latin-1": (
        lambda p: p.path("datapackage.yaml").write_bytes(b"name: x\ntitle: Caf\xe9\n"),
        "datapackage.yaml, row 2: the line is not UTF-8; save the file as UTF-8 [encoding]",
    ),
    "a descriptor of nothing": (
        lambda p: p.path("datapackage.yaml").write_text("just words", encoding="utf-8"),
        "datapackage.yaml: it declares no resources [descriptor]",
    ),
    "a resource without a path": (
        lambda p: p.edit_descriptor(lambda tables: tables["forecast"].pop("path")),
        (
            'datapackage.yaml: it is no valid Data Package: one of the properties "path" or "data" is '
            "required [descriptor]"
        ),
    ),
    "a field type that nobody knows": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["unit"]["schema"]["fields"][1].update(type="strng")
        ),
        (
            "datapackage.yaml: the table 'unit' gives the field 'label' the type 'strng'; the known types "
            "are string, "
            "integer, number, boolean, date [field-type]"
        ),
    ),
    "a field type that the warehouse does not know": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["unit"]["schema"]["fields"][1].update(type="geopoint")
        ),
        (
            "datapackage.yaml: the table 'unit' gives the field 'label' the type 'geopoint'; the known "
            "types "
            "are string, "
            "integer, number, boolean, date [field-type]"
        ),
    ),
    "a name that is no identifier": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["unit"]["schema"]["fields"][1].update(name='x"; DROP')
        ),
        (
            "datapackage.yaml: the table 'unit' has the field 'x\"; DROP'; a name has small letters, "
            "digits "
            "and "
            "underscores [field-name]"
        ),
    ),
    "a pattern that is none": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["unit"]["schema"]["fields"][1].update(constraints={"pattern": "("})
        ),
        (
            "datapackage.yaml: the table 'unit' gives the field 'label' the pattern '(', which cannot be "
            "checked "
            "[constraint]"
        ),
    ),
    "a reference to a table that is not declared": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["unit"]["schema"].update(
                foreignKeys=[{"fields": "label", "reference": {"resource": "nowhere", "fields": "id"}}]
            )
        ),
        (
            "datapackage.yaml: a foreign key of 'unit' names id of 'nowhere', which is not declared "
            "[foreign-key]"
        ),
    ),
    "references in a circle": (
        lambda p: p.edit_descriptor(
            lambda tables: tables["publisher"]["schema"].update(
                foreignKeys=[{"fields": "name", "reference": {"resource": "source", "fields": "source_id"}}]
            )
        ),
        (
            "datapackage.yaml: tables refer to each other in a circle: source -> publisher -> source "
            "[foreign-key]"
        ),
    ),
}

# Of each rule between tables: what it allows, what breaks it, and what is then said.
RULES: dict[str, tuple[Edit, Edit, str]] = {
    "titles-have-a-role-or-a-reason": (
        lambda p: p.edit(TITLES, 2, role_id="", excluded_because="no job title"),
        lambda p: p.edit(TITLES, 2, role_id="", excluded_because=""),
        (
            f"{TITLES}, row 2, role_id: the title 'academic researcher' needs either a role or a reason why "
            "it has none"
        ),
    ),
    "cities-lie-in-their-country": (
        lambda p: city_at(p, "15.0", "25.0"),
        lambda p: city_at(p, "25.0", "15.0"),
        (
            "places/cities.csv, row 2, latitude: 25.0, 15.0 lies outside of {it}; "
            "are latitude and longitude swapped?"
        ),
    ),
    "observations-are-told-once": (
        lambda p: p.add(INVESTMENT, **{**p.rows(INVESTMENT)[0], "claim_id": "IV901", "segment": "chips"}),
        lambda p: p.add(INVESTMENT, **{**p.rows(INVESTMENT)[0], "claim_id": "IV901"}),
        (
            f"{INVESTMENT}, row {{it}}, value: the same figure as IV001 (metric, entity, period, segment, "
            "population, series, source); say what differs, or take it out"
        ),
    ),
    "claim-ids-are-unique": (
        lambda p: p.edit(WORKFORCE, 9, claim_id="WF9001"),
        lambda p: p.edit(WORKFORCE, 9, claim_id="IV001"),
        (
            f"{WORKFORCE}, row 9, claim_id: 'IV001' names a claim of the table investment already (row 2); "
            "give this "
            "one its own id"
        ),
    ),
    "figures-have-values": (
        lambda p: p.edit(FORECASTS, 4, base_value_usd_bn="", forecast_value_usd_bn="", cagr_pct="40"),
        lambda p: p.edit(FORECASTS, 2, base_value_usd_bn="", forecast_value_usd_bn="", cagr_pct=""),
        (
            f"{FORECASTS}, row 2, forecast_value_usd_bn: the claim has no figure at all: give a base, a "
            "target or a "
            "growth rate"
        ),
    ),
    "forecasts-look-ahead": (
        lambda p: p.edit(FORECASTS, 2, base_year="2030", forecast_year="2031"),
        lambda p: p.edit(FORECASTS, 2, base_year="2031", forecast_year="2030"),
        f"{FORECASTS}, row 2, forecast_year: the target year 2030 is not after the base year 2031",
    ),
    "headlines-name-figures": (
        lambda p: p.edit("headlines.csv", 2, field="cagr_pct"),
        lambda p: p.edit("headlines.csv", 2, claim_id="MF998"),
        "headlines.csv, row 2, claim_id: 'MF998' is no claim of any table",
    ),
    "rates-are-percent": (
        lambda p: p.edit(FORECASTS, 3, cagr_pct="44.2"),
        lambda p: p.edit(FORECASTS, 3, cagr_pct="0.442"),
        f"{FORECASTS}, row 3, cagr_pct: '0.442' looks like a fraction; write percent (44.2)",
    ),
    "repeats-point-to-originals": (
        lambda p: p.edit(FORECASTS, 3, repeats_claim_id="MF001"),
        lambda p: p.edit(FORECASTS, 3, repeats_claim_id=p.rows(FORECASTS)[1]["claim_id"]),
        (
            f"{FORECASTS}, row 3, repeats_claim_id: a claim cannot repeat itself; name the original or "
            "leave "
            "the cell "
            "empty"
        ),
    ),
    "units-fit-their-metric": (
        lambda p: p.edit(INVESTMENT, 2, unit_id="usd_bn"),
        lambda p: p.edit(INVESTMENT, 2, unit_id="people"),
        (
            f"{INVESTMENT}, row 2, unit_id: 'people' is a unit of count, but ai_and_cloud_vc_funding is "
            "measured in "
            "usd_bn, a unit of money"
        ),
    ),
    "unnamed-firms-have-no-publisher": (
        lambda p: p.edit(FORECASTS, 2, attribution="relayed"),
        lambda p: p.edit(FORECASTS, 2, attribution="unnamed"),
        (
            f"{FORECASTS}, row 2, attribution: the attribution is 'unnamed' but the source "
            "360iresearch-undated-360iresearch-com names 360iresearch"
        ),
    ),
    "values-are-plausible": (
        lambda p: p.edit(INVESTMENT, 2, value="62.5"),
        lambda p: p.edit(INVESTMENT, 2, value="62500"),
        (
            f"{INVESTMENT}, row 2, value: '62500' billion US dollars is not between 1 and 1000 billion US "
            "dollars, which "
            "is plausible for ai_and_cloud_vc_funding; is the unit right?"
        ),
    ),
}


@pytest.mark.parametrize("case", [*CELLS, *FILES, *DESCRIPTORS])
def test_one_defect_is_told_in_one_sentence(case: str, package_copy: PackageCopy) -> None:
    """With file, row, field and rule; and nothing else is said to be wrong because of it."""
    edit, message = {**CELLS, **FILES, **DESCRIPTORS}[case]
    edit(package_copy)
    assert package_copy.problems() == [message.replace("{folder}", str(package_copy.folder))]


def test_every_rule_between_tables_has_an_example() -> None:
    assert {rule.name for rule in load_rules("package")} == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_which_row_breaks_it(rule: str, package_copy: PackageCopy) -> None:
    _, breaking, message = RULES[rule]
    edited = breaking(package_copy)
    assert package_copy.problems() == [f"{message} [{rule}]".replace("{it}", str(edited))]


def test_the_rules_let_pass_what_they_allow(package_copy: PackageCopy) -> None:
    """Each of these rows differs from one that breaks a rule in that alone."""
    for passing, _, _ in RULES.values():
        passing(package_copy)
    assert package_copy.problems() == []


def test_all_problems_of_all_files_are_told_at_once(package_copy: PackageCopy) -> None:
    """A person mends the data in one pass."""
    for edit, _ in CELLS.values():
        edit(package_copy)
    package_copy.edit_bytes("headlines.csv", lambda content: b"\xef\xbb\xbf" + content)
    told = package_copy.problems()
    files = {problem.split(",")[0].split(":")[0] for problem in told}
    assert files == {
        FORECASTS,
        INVESTMENT,
        WORKFORCE,
        "sources.csv",
        "headlines.csv",
        "headline_comparison.csv",
    }
    rules = {problem.rsplit("[", 1)[1].removesuffix("]") for problem in told}
    assert rules >= {"byte-order-mark", "foreign-key", "required", "type", "unique"}


def test_problems_are_told_in_the_order_of_the_file(package_copy: PackageCopy) -> None:
    for row in (9, 4, 6):
        package_copy.edit(FORECASTS, row, attribution="rumour")
    rows = [problem.row for problem in validate(read_package(package_copy.folder))]
    assert rows == [4, 6, 9]


def test_a_value_missing_many_times_is_one_problem_that_names_the_rows(package_copy: PackageCopy) -> None:
    """A renamed source does not bury everything else under its claims."""
    source = package_copy.rows(WORKFORCE)[0]["source_id"]
    row = 2 + [each["source_id"] for each in package_copy.rows("sources.csv")].index(source)
    users = [n for n, each in enumerate(package_copy.rows(WORKFORCE), 2) if each["source_id"] == source]
    assert len(users) > 2
    package_copy.edit("sources.csv", row, source_id="renamed")
    others = ", ".join(map(str, users[1:]))
    assert package_copy.problems() == [
        (
            f"{WORKFORCE}, row {users[0]}, source_id: '{source}' is not in sources.csv; add it there or "
            "correct it here "
            f"(also {len(users) - 1} other rows: {others}) [foreign-key]"
        )
    ]


def test_rows_after_a_blank_one_keep_their_numbers(package_copy: PackageCopy) -> None:
    change_line(FORECASTS, 3, lambda line: line + b"\n")(package_copy)
    change_line(FORECASTS, 6, lambda line: line.replace(b"generative_ai,world", b"generative_ai,atlantis"))(
        package_copy
    )
    assert [problem.row for problem in validate(read_package(package_copy.folder))] == [4, 6]


def test_a_rule_that_needs_an_undeclared_table_says_so(package_copy: PackageCopy) -> None:
    package_copy.edit_descriptor(lambda tables: tables["headline_comparison"]["schema"]["foreignKeys"].pop(0))
    package_copy.edit_descriptor(lambda tables: tables["headline"].update(name="front_page"))
    (told,) = package_copy.problems()
    assert told.startswith(
        "datapackage.yaml: the rule needs a table or field that is not declared: Catalog Error"
    )
    assert told.endswith("[headlines-name-figures]")


def test_windows_line_ends_are_fine(package_copy: PackageCopy) -> None:
    for file in package_copy.folder.rglob("*.*"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert package_copy.problems() == []


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(package_copy: PackageCopy) -> None:
    package_copy.edit(FORECASTS, 3, note='a "quoted" word,\nand a second line')
    assert package_copy.problems() == []
    rows = read_package(package_copy.folder).table("forecast").text.rows
    assert rows[3][-1] == 'a "quoted" word,\nand a second line'
    assert rows[4][0] == package_copy.rows(FORECASTS)[2]["claim_id"]


def test_a_long_value_is_shortened_in_the_message(package_copy: PackageCopy) -> None:
    package_copy.edit(FORECASTS, 2, attribution="x" * 500)
    (told,) = package_copy.problems()
    assert f"'{'x' * 60}…' is not one of" in told
