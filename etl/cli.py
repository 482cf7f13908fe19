"""The command line of the pipeline, from build to sql.

Results go to stdout, everything else to stderr. Exit 0 success, 1 failure, 2 misuse. `dashboard.cli` adds the
commands that need the dashboard.
"""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from etl.build import build as run_build
from etl.build import needs_build
from etl.diff import diff as compare
from etl.errors import AtlasError, DataError, MisuseError
from etl.freshness import freshness
from etl.gate import HeldError
from etl.handover import answers_of, take_files
from etl.ledger import Ledger
from etl.microdata.spool import expand
from etl.package import read_package
from etl.query import run_query
from etl.refresh import RefreshResult, SourceResult, Step, World, planned
from etl.refresh import refresh as run_refresh
from etl.salaries import READERS, ImportResult, import_files, reader_of
from etl.settings import Settings
from etl.snapshots import REJECTS
from etl.sources.connector import Request
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
AcceptOption = Annotated[
    bool, typer.Option("--accept", help="Publish what would be held back to be looked at first.")
]
P = ParamSpec("P")
# A dry run lists so many requests of a source; the JSON lists them all.
MAX_REQUESTS_TOLD = 10
# An import names so many titles without a role; the JSON names more.
MAX_TITLES_TOLD = 5
# A wide table that is not read on a terminal.
WIDTH_OF_FILES = 240


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


def print_failure(error: str, reasons: Sequence[object] = ()) -> None:
    """What went wrong, on stderr: first every reason, then the sentence that sums them up."""
    for reason in reasons:
        stderr.print(str(reason), markup=False, highlight=False)
    stderr.print(f"Error: {error}", style="bold red", markup=False, highlight=False)


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors that a person can act on into clear text (or JSON) and exit code 1, or 2 for misuse."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AtlasError as error:
            problems = error.problems if isinstance(error, DataError) else []
            held = error.reasons if isinstance(error, HeldError) else []
            if kwargs.get("as_json"):
                found = {"problems": [each.as_dict() for each in problems], "held": held}
                print_json({"ok": False, "error": str(error), **found})
            print_failure(str(error), [*problems, *held])
            raise typer.Exit(2 if isinstance(error, MisuseError) else 1) from None

    return wrapper


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A status line on stderr for long work, silent where stderr is no terminal."""
    with stderr.status("Starting") as status:
        yield status.update


def build_if_needed(settings: Settings) -> None:
    """Build where these data were never built; a failure is told, and what was built before is served."""
    try:
        if needs_build(settings):
            with progress() as report:
                run_build(settings, report)
    except AtlasError as error:
        for problem in error.problems if isinstance(error, DataError) else []:
            stderr.print(str(problem), markup=False, highlight=False)
        stderr.print(
            f"Warning: {error} The last good build is served, if there is one.", style="yellow", markup=False
        )


@app.command()
@reported
def build(
    accept: AcceptOption = False,
    home: HomeOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the warehouse from the data package and publish it if every blocking check passes."""
    with progress() as report:
        result = run_build(settings_for(home, data), report, accept=accept)
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
    settings = settings_for(home, data)
    reader_of(source)
    if fetched := answers_of(source, expand(paths)):
        _take_files(source, fetched, settings, as_json=as_json)
        return
    with progress_bar() as report:
        result = import_files(source, paths, settings, report)
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
    for line in _not_taken(result):
        stderr.print(line, markup=False, highlight=False, soft_wrap=True)


def _take_files(source: str, files: dict[Path, Request], settings: Settings, *, as_json: bool) -> None:
    """Take files that a refresh would fetch; their figures go where those of a refresh go."""
    with progress() as report:
        report(f"Reading {', '.join(path.name for path in files)}")
        taken = take_files(source, files, settings, World())
    if as_json:
        print_json({"ok": True, "new": taken.outcome == "new", "source": source, "figures": taken.rows})
        return
    if taken.outcome == "unchanged":
        stdout.print("Unchanged: these figures are there.", highlight=False)
    stdout.print(
        f"{source}: {_counted(taken.rows or 0, 'figure')}, as a refresh reads them. "
        "genai-atlas build makes the dashboard show them.",
        highlight=False,
    )


def _not_taken(result: ImportResult) -> Iterator[str]:
    """What of an import was not taken, or taken without a role, and why."""
    manifest = result.manifest
    if left_aside := manifest.get("left_aside"):
        yield f"Left aside, being no file of the source: {', '.join(left_aside)}"
    for words, counts in (("left out", manifest["left_out"]), ("rejected", manifest["rejected"])):
        for reason, count in counts.items():
            yield f"{_counted(count, 'row')} {words}: {reason}"
    if manifest["rejected"]:
        yield f"The rejected rows, with file, line and reason: {result.snapshot.folder / REJECTS}"
    if unmapped := manifest.get("titles", {}).get("unmapped"):
        named = list(manifest["unmapped_titles"].items())[:MAX_TITLES_TOLD]
        told = f"; most often {', '.join(f'{title} ({count:,})' for title, count in named)}" if named else ""
        yield f"{_counted(unmapped, 'row')} without a known role, the title being unknown or missing{told}"


@app.command("refresh")
@reported
def refresh_(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE…]", help="Live sources; all but the large ones.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be asked, and ask nothing.")
    ] = False,
    accept: AcceptOption = False,
    home: HomeOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask live sources what is new, then build; what cannot be had stays as it was."""
    settings = settings_for(home, data)
    if dry_run:
        plans = planned(settings, names or [])
        if as_json:
            print_json({"ok": True, "sources": plans})
        else:
            _print_plans(plans)
        return
    try:
        with refresh_progress() as report:
            result = run_refresh(settings, names or [], accept=accept, progress=report)
    except KeyboardInterrupt:
        words = "The refresh was stopped; what was read is kept, and the next one goes on from there."
        if as_json:
            print_json({"ok": False, "error": words})
        stderr.print(words, style="yellow", highlight=False)
        raise typer.Exit(130) from None
    if as_json:
        print_json(result.as_dict())
    else:
        _print_refreshed(result)
    if result.error:
        print_failure(result.error, [*result.problems, *result.held])
    if not result.is_fine:
        raise typer.Exit(1)


def _print_refreshed(result: RefreshResult) -> None:
    counts = Counter(each.outcome for each in result.sources)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    stdout.print(f"{_counted(len(result.sources), 'source')}: {told}.", highlight=False)
    if result.build:
        verb = "Published" if result.build.published else "Unchanged: the current build is"
        stdout.print(f"{verb} {result.build.build.build_id}.", highlight=False)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{max(count / 1e3, 1):,.0f} kB"


def _print_plans(plans: Sequence[dict[str, Any]]) -> None:
    for plan in plans:
        requests, token = plan["requests"], plan["token"]
        size = f", about {_size(plan['bytes'])}" if plan["bytes"] else ""
        test = " (a test server)" if plan["is_replay"] else ""
        stdout.print(
            f"{plan['title']} ({plan['source']}): {_counted(len(requests), 'request')}{size}", highlight=False
        )
        stdout.print(f"  at {plan['address']}{test}", markup=False, highlight=False)
        if plan["stored"]:
            stdout.print(f"  {plan['stored']} more are stored and cannot change", highlight=False)
        if token:
            state = "is set" if token["is_there"] else "is not set"
            stdout.print(
                f"  {token['variable']} {state}; what it changes: {token['effect']}",
                markup=False,
                highlight=False,
            )
        for request in requests[:MAX_REQUESTS_TOLD]:
            stdout.print(
                f"  {request['method']} {request['path']} ({request['key']})", markup=False, highlight=False
            )
        if len(requests) > MAX_REQUESTS_TOLD:
            left = len(requests) - MAX_REQUESTS_TOLD
            stdout.print(f"  and {left} more; --json lists them all", highlight=False)
    stdout.print("Answers may lead to further requests: pages, and files that have changed.", highlight=False)


@contextmanager
def refresh_progress() -> Iterator[Callable[[Step], None]]:
    """A bar for each source on stderr while it is asked, and a line once it is done with."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: Step) -> None:
            name = step.source or "build"
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None, words="")
            bars.update(
                tasks[name], completed=step.done, total=step.planned or None, words=escape(step.words)
            )
            if step.result:
                bars.remove_task(tasks[name])
                bars.console.print(_told(step.result), markup=False, highlight=False)

        yield report


def _told(result: SourceResult) -> str:
    """What came of one source, in one line."""
    figures = f", {_counted(result.rows, 'figure')}" if result.rows is not None else ""
    parts = [f"{result.source}: {result.outcome}{figures}", result.reason, *result.warnings]
    return ". ".join(part.rstrip(".") for part in parts if part)


@app.command()
@reported
def sources(home: HomeOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the live sources: how fresh each is, when it is due, what came of it last, its licence."""
    settings = settings_for(home, data)
    rows = freshness(settings, datetime.now(UTC))
    if problem := Ledger(settings.home).problem():
        stderr.print(f"Warning: {problem}", style="yellow", markup=False, highlight=False)
    if as_json:
        print_json([each.as_dict() for each in rows])
        return
    table = Table(
        "source", "publication", "read", "next due", "last result", "licence", box=None, pad_edge=False
    )
    for each in rows:
        read = f"{each.last_success:%Y-%m-%d}" if each.last_success else "never"
        due = f"{each.next_due:%Y-%m-%d}" if each.next_due else ""
        told = [each.connector, f"{each.publisher}, {each.title}" if each.publisher else each.title, read]
        told += [f"{due} (overdue)" if each.is_overdue else due, each.last_outcome or "", each.licence or ""]
        table.add_row(*map(escape, told), style="yellow" if each.is_overdue else None)
    (stdout if stdout.is_terminal else Console(width=WIDTH_OF_FILES)).print(table)
    for name, reason in {each.connector: each.reason for each in rows if each.reason}.items():
        stdout.print(f"{name}: {reason}", markup=False, highlight=False)


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
    if live := document.pop("live_sources"):
        document["live_sources"] = ", ".join(
            f"{count} {state.replace('_', ' ')}" for state, count in live.items()
        )
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
    changed, live = None, None
    # Where there is no readable package to compare with, what is served is told all the same.
    with suppress(DataError):
        changed = needs_build(settings)
        live = _live_status(settings)
    return {
        "ok": True,
        "home": str(settings.home),
        **served.as_dict(),
        "notice": notice,
        "data_changed_since": changed,
        "live_sources": live,
        "tables": dict(tables),
        "checks": [{"name": n, "severity": s, "offending_rows": c} for n, s, c in checks],
    }


def _live_status(settings: Settings) -> dict[str, int]:
    """How many live sources were read, are overdue, did not succeed last time."""
    rows = {each.connector: each for each in freshness(settings, datetime.now(UTC))}.values()
    return {
        "read": sum(each.last_success is not None for each in rows),
        "never_read": sum(each.last_success is None for each in rows),
        "overdue": sum(each.is_overdue for each in rows),
        "failed": sum(each.last_outcome in {"failed", "deferred"} for each in rows),
    }
