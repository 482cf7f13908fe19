"""The command line of the pipeline: build, import, builds, diff, rollback, status, check, sql.

Results go to stdout, everything else to stderr. Exit 0 success, 1 failure, 2 misuse. `dashboard.cli` adds the
commands that need the dashboard.
"""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from etl.build import build as run_build
from etl.build import needs_build
from etl.diff import diff as compare
from etl.errors import AtlasError, DataError, MisuseError
from etl.package import read_package
from etl.query import run_query
from etl.salaries import READERS, import_files
from etl.settings import Settings
from etl.validation import validate
from etl.warehouse import Home, open_read_only

app = typer.Typer(
    name="genai-atlas",
    help="An open, sourced dashboard of the generative-AI ecosystem.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
stderr = Console(stderr=True, soft_wrap=True)
stdout = Console(soft_wrap=True)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the builds [default: GENAI_ATLAS_HOME or the user data folder]."),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the data package [default: GENAI_ATLAS_DATA or the shipped one]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of text.")]
P = ParamSpec("P")


def settings_for(home: Path | None = None, data: Path | None = None) -> Settings:
    """The settings, with what was given on the command line put first.

    Raises:
        AtlasError: a setting has a value that it cannot have.
    """
    given = {"home": home, "data": data}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"GENAI_ATLAS_{str(each['loc'][0]).upper()} is '{each['input']}': {each['msg'].lower()}"
            for each in error.errors()
        )
        raise AtlasError(f"A setting cannot be used: {wrong}.") from None


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors that a person can act on into clear text (or JSON) and exit code 1, or 2 for misuse."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AtlasError as error:
            problems = error.problems if isinstance(error, DataError) else []
            if kwargs.get("as_json"):
                print_json({"ok": False, "error": str(error), "problems": [p.as_dict() for p in problems]})
            for problem in problems:
                stderr.print(str(problem), markup=False, highlight=False)
            stderr.print(f"Error: {error}", style="bold red", markup=False, highlight=False)
            raise typer.Exit(2 if isinstance(error, MisuseError) else 1) from None

    return wrapper


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A status line on stderr for long work, silent where stderr is no terminal."""
    with stderr.status("Starting") as status:
        yield status.update


@app.command()
@reported
def build(home: HomeOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Build the warehouse from the data package and publish it if every blocking check passes."""
    with progress() as report:
        result = run_build(settings_for(home, data), report)
    if as_json:
        print_json({"ok": True, **result.as_dict()})
        return
    verb = "Published" if result.published else "Unchanged: the current build is"
    stdout.print(f"{verb} {result.build.build_id} ({sum(result.rows.values()):,} rows).", highlight=False)
    for name, count in result.warnings.items():
        stderr.print(f"Warning: {count} rows break the rule {name}.", style="yellow", highlight=False)


@app.command("import")
@reported
def import_(
    source: Annotated[str, typer.Argument(help=f"One of {', '.join(READERS)}.", show_default=False)],
    paths: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="CSV, gzip, zip or Parquet files, folders of them, patterns."),
    ],
    home: HomeOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import records of pay; they replace what was imported of the source, and the next build shows them."""
    with progress_bar() as report:
        result = import_files(source, paths, settings_for(home, data), report)
    if as_json:
        print_json({"ok": True, **result.as_dict()})
        return
    manifest = result.manifest
    if not result.is_new:
        stdout.print("Unchanged: these files were imported before.", highlight=False)
    stdout.print(
        f"{source}: {manifest['accepted']:,} of {manifest['rows']:,} rows taken. "
        "genai-atlas build makes the dashboard show them.",
        highlight=False,
    )
    for words, counts in (("left out", manifest["left_out"]), ("rejected", manifest["rejected"])):
        for reason, count in counts.items():
            stderr.print(f"{count:,} rows {words}: {reason}", markup=False, highlight=False)
    if unmapped := manifest.get("titles", {}).get("unmapped"):
        stderr.print(f"{unmapped:,} rows have a title that stands for no known role.", highlight=False)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on stderr that tells how much of a long work is done, silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("Starting", total=None)

        def report(done: int, total: int, words: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(words))

        yield report


@app.command()
@reported
def check(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Validate the data package: every problem at once, with file, row, field and rule."""
    package = read_package(settings_for(data=data).data)
    with progress() as report:
        report("Validating the data package")
        problems = validate(package)
    if problems:
        raise DataError(problems)
    if as_json:
        print_json({"ok": True, "tables": [table.name for table in package.tables], "problems": []})
    else:
        stdout.print(
            f"The data package is valid: {len(package.tables)} tables, no problems.", highlight=False
        )


@app.command()
@reported
def builds(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the builds that are kept, newest first."""
    found = Home(settings_for(home).home).builds()
    if as_json:
        print_json([each.as_dict() for each in found])
        return
    table = Table("build", "built at (UTC)", "size", "", box=None, pad_edge=False)
    for each in found:
        size = f"{each.path.stat().st_size / 1e6:.1f} MB"
        table.add_row(
            each.build_id, f"{each.built_at:%Y-%m-%d %H:%M:%S}", size, "current" if each.is_current else ""
        )
    stdout.print(table if found else "There is no build yet; run genai-atlas build.")


@app.command()
@reported
def rollback(
    build_id: Annotated[
        str | None, typer.Argument(metavar="[BUILD]", help="A build; the one before the current.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an earlier build again."""
    chosen = Home(settings_for(home).home).rollback(build_id)
    if as_json:
        print_json({"ok": True, **chosen.as_dict()})
    else:
        stdout.print(f"{chosen.build_id} is the current build.", highlight=False)


@app.command()
@reported
def diff(
    old: Annotated[str | None, typer.Argument(help="A build; the one before NEW.")] = None,
    new: Annotated[str | None, typer.Argument(help="A build; the current one.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what changed between two builds, claim by claim: added, withdrawn, changed."""
    found = Home(settings_for(home).home)
    difference = compare(
        found.find(old) if old else found.before_current(), found.find(new) if new else found.best()[0]
    )
    if as_json:
        print_json({"ok": True, **difference.as_dict()})
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in difference.counts().items())
    stdout.print(f"{difference.old.build_id} → {difference.new.build_id}: {counts} claims.", highlight=False)
    table = Table("claim", "", "what", "from", "to", box=None, pad_edge=False)
    for change in difference.changes:
        before, after = ("" if v is None else f"{v:,.15g}" for v in (change.old_value, change.new_value))
        what = f"{change.subject}, {change.place}, {change.period or 'undated'} ({change.unit})"
        table.add_row(change.claim_id, " ".join((change.kind, *change.fields)), escape(what), before, after)
    if difference.changes:
        stdout.print(table)


@app.command()
@reported
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT over the current build, read-only.")],
    form: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", "-f", help="How to print.")
    ] = "table",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time at most.")] = 30.0,
    home: HomeOption = None,
) -> None:
    """Ask the current build a question of your own; it can only be read."""
    served, _ = Home(settings_for(home).home).best()
    answer = run_query(served.path, statement, max_rows=limit, seconds=seconds)
    if form == "json":
        print_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([answer.columns, *answer.rows])
    else:
        table = Table(*answer.columns, box=None, pad_edge=False)
        for row in answer.rows:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        stdout.print(table)
    if answer.is_cut:
        stderr.print(f"Only the first {limit:,} rows are shown; --limit shows more.", highlight=False)


@app.command()
@reported
def status(home: HomeOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Tell which build is served, how old it is, and whether the data have changed since."""
    document = _status(settings_for(home, data))
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if name not in {"ok", "tables", "checks"}:
            stdout.print(f"{name.replace('_', ' ')}: {value}", markup=False, highlight=False)


def _status(settings: Settings) -> dict[str, Any]:
    served, notice = Home(settings.home).best()
    with open_read_only(served.path) as connection:
        tables = connection.execute("SELECT name, rows FROM meta.table_info ORDER BY name").fetchall()
        checks = connection.execute(
            "SELECT name, severity, offending_rows FROM meta.check_result ORDER BY name"
        ).fetchall()
    try:
        changed: bool | None = needs_build(settings)
    except DataError:  # There is nothing readable to compare with; what is served is told all the same.
        changed = None
    return {
        "ok": True,
        "home": str(settings.home),
        **served.as_dict(),
        "notice": notice,
        "data_changed_since": changed,
        "tables": dict(tables),
        "checks": [{"name": n, "severity": s, "offending_rows": c} for n, s, c in checks],
    }
