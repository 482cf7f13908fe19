"""The command line: exit codes, what goes to stdout and what to stderr, JSON on demand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.warehouse import Home
from tests.etl.package_copy import PackageCopy

FORECASTS = "market/forecasts.csv"
COMMANDS = ["build", "builds", "check", "rollback", "status"]


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything beside it is an error."""
        return json.loads(self.out)


def run(*arguments: str | Path) -> Outcome:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def package(package_copy: PackageCopy, monkeypatch: pytest.MonkeyPatch) -> PackageCopy:
    """A small package that the settings name, beside a home of its own."""
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(package_copy.folder))
    return package_copy


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The home that the settings name (see `_own_home`)."""
    return Home(tmp_path / "home")


@pytest.fixture
def broken(package: PackageCopy) -> PackageCopy:
    package.edit(FORECASTS, 2, source_id="nobody-2031")
    package.edit(FORECASTS, 3, base_year="twenty")
    return package


def test_every_command_has_one_line_of_help() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        first_line = (command.callback.__doc__ or "").strip().splitlines()[0]
        assert first_line.endswith("."), command.callback.__name__
        assert run(command.name or command.callback.__name__, "--help").code == 0


def test_the_program_without_a_command_shows_its_help() -> None:
    outcome = run()
    assert outcome.code == 2
    for command in COMMANDS:
        assert command in outcome.out + outcome.err


@pytest.mark.parametrize("arguments", [["nonsense"], ["build", "--nonsense"], ["rollback", "one", "two"]])
def test_misuse_is_exit_code_2_and_nothing_on_stdout(arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage" in outcome.err


def test_build_publishes_and_then_has_nothing_to_do(package: PackageCopy, home: Home) -> None:
    first, second = run("build"), run("build")
    built = home.builds()[0].build_id
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith(f"Published {built} (")
    assert second.out.startswith(f"Unchanged: the current build is {built} (")


def test_warnings_of_a_build_go_to_stderr(package: PackageCopy) -> None:
    package.forecast(
        "MF901",
        base_year="2024",
        base_value_usd_bn="100.0",
        forecast_year="2026",
        forecast_value_usd_bn="200.0",
        cagr_pct="10.0",
    )
    outcome = run("build")
    assert outcome.code == 0
    assert "break the rule forecasts-keep-their-promise" in outcome.err
    assert "Warning" not in outcome.out


def test_build_as_json_tells_build_hash_and_rows(package: PackageCopy, home: Home) -> None:
    document = run("build", "--json").document
    (built,) = home.builds()
    assert document["ok"] is True
    assert document["published"] is True
    assert document["build"] == built.build_id
    assert document["content_hash"] == built.content_hash
    assert document["rows"]["forecast"] == len(package.rows(FORECASTS))
    assert run("build", "--json").document["published"] is False


def test_a_broken_package_is_told_on_stderr_and_fails(broken: PackageCopy, home: Home) -> None:
    for command in ("check", "build"):
        outcome = run(command)
        assert outcome.code == 1
        assert outcome.out == ""
        assert outcome.err.splitlines() == [
            (
                f"{FORECASTS}, row 2, source_id: 'nobody-2031' is not in sources.csv; "
                "add it there or correct it here [foreign-key]"
            ),
            f"{FORECASTS}, row 3, base_year: 'twenty' is not a whole number [type]",
            "Error: The data package has 2 problems; nothing was published.",
        ]
    assert home.builds() == []


@pytest.mark.parametrize("command", ["check", "build"])
def test_a_broken_package_as_json_is_one_document(command: str, broken: PackageCopy) -> None:
    outcome = run(command, "--json")
    assert outcome.code == 1
    assert outcome.document["ok"] is False
    assert outcome.document["error"] == "The data package has 2 problems; nothing was published."
    assert outcome.document["problems"][1] == {
        "file": FORECASTS,
        "row": 3,
        "field": "base_year",
        "rule": "type",
        "message": "'twenty' is not a whole number",
    }


def test_check_of_a_sound_package_says_so(package: PackageCopy) -> None:
    outcome = run("check")
    assert outcome.code == 0
    assert "no problems" in outcome.out
    document = run("check", "--json").document
    assert document["ok"] is True
    assert document["problems"] == []
    assert "forecast" in document["tables"]


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_folder_without_data_is_a_clear_error(command: str, tmp_path: Path) -> None:
    outcome = run(command, "--data", tmp_path / "nowhere", "--json")
    assert outcome.code == 1
    (problem,) = outcome.document["problems"]
    assert problem["rule"] == "missing-file"
    assert str(tmp_path / "nowhere") in problem["message"]


def test_the_options_come_before_the_environment(package: PackageCopy, tmp_path: Path) -> None:
    assert run("build", "--home", tmp_path / "elsewhere").code == 0
    assert len(Home(tmp_path / "elsewhere").builds()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("command", ["status", "rollback"])
def test_without_a_build_there_is_a_clear_error(command: str) -> None:
    outcome = run(command)
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    as_json = run(command, "--json")
    assert as_json.code == 1
    assert as_json.document["ok"] is False
    assert as_json.document["error"]


def test_builds_without_a_build_is_an_empty_list() -> None:
    assert run("builds", "--json").document == []
    outcome = run("builds")
    assert outcome.code == 0
    assert outcome.out == "There is no build yet; run genai-atlas build.\n"


def test_status_builds_and_rollback_tell_of_the_same_build(package: PackageCopy, home: Home) -> None:
    """One life of a home: two builds, a rollback, a change of the data."""
    run("build")
    package.edit(FORECASTS, 2, note="changed")
    assert run("status", "--json").document["data_changed_since"] is True
    run("build")
    newer, older = home.builds()
    status = run("status", "--json").document
    assert (status["build"], status["notice"], status["data_changed_since"]) == (newer.build_id, None, False)
    assert {"name": "marts-keep-every-claim", "severity": "blocking", "offending_rows": 0} in status["checks"]
    listed = run("builds", "--json").document
    assert [(each["build"], each["current"]) for each in listed] == [
        (newer.build_id, True),
        (older.build_id, False),
    ]
    back = run("rollback", "--json")
    assert (back.code, back.document["build"], back.document["current"]) == (0, older.build_id, True)
    assert f"build: {older.build_id}" in run("status").out
    assert run("rollback", newer.build_id).out == f"{newer.build_id} is the current build.\n"
    table = run("builds").out
    assert [line.split()[-1] for line in table.splitlines() if newer.build_id in line] == ["current"]
    unknown = run("rollback", "nonsense", "--json")
    assert unknown.code == 1
    assert "There is no build 'nonsense'" in unknown.document["error"]


def test_status_tells_of_a_damaged_build_and_of_data_that_are_gone(package: PackageCopy, home: Home) -> None:
    run("build")
    package.edit(FORECASTS, 2, note="changed")
    run("build")
    newest, older = home.builds()
    newest.path.write_bytes(b"")
    package.path("datapackage.yaml").unlink()
    document = run("status", "--json").document
    assert document["build"] == older.build_id
    assert newest.path.name in document["notice"]
    assert document["data_changed_since"] is None


def test_two_builds_at_once_are_one_and_a_clear_refusal(package: PackageCopy, home: Home) -> None:
    with home.writing():
        outcome = run("build", "--json")
    assert outcome.code == 1
    assert "Another process is changing" in outcome.document["error"]
    assert home.builds() == []


def test_a_setting_that_makes_no_sense_is_a_clear_error(
    package: PackageCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI_ATLAS_KEEP_BUILDS", "none")
    outcome = run("build")
    assert outcome.code == 1
    assert outcome.err.startswith("Error: A setting cannot be used: GENAI_ATLAS_KEEP_BUILDS is 'none': ")


def test_square_brackets_in_a_path_are_shown_as_they_are(package: PackageCopy, tmp_path: Path) -> None:
    home = tmp_path / "[bold]"
    run("build", "--home", home)
    assert f"home: {home}" in run("status", "--home", home).out
