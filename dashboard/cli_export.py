"""The commands `export` and `report`: charts as files, one by one, all at once, or as one document."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dashboard.chart import REGISTRY, Chart
from etl.cli import (
    DataOption,
    HomeOption,
    app,
    build_if_needed,
    progress,
    reported,
    settings_for,
    stderr,
    stdout,
)
from etl.errors import AtlasError, MisuseError

if TYPE_CHECKING:
    from dashboard.export import Export, Selection
    from dashboard.warehouse import Warehouse


class Form(StrEnum):
    """The formats, as Typer wants a list of choices; those of dashboard.export."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSON = "json"


Mode = Literal["light", "dark"]
SizeOption = Annotated[
    str, typer.Option("--size", help="Of a picture: article, slide, square, story, or WIDTHxHEIGHT.")
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="Of a picture or a page.")]
ScaleOption = Annotated[float, typer.Option("--scale", help="How many times as many pixels: 0.5 to 4.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
FilterOption = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="NAME=VALUE", help="A filter; again for a second value or another filter."),
]


@app.command()
@reported
def export(  # noqa: PLR0913, PLR0917 - one argument an option
    chart: Annotated[str | None, typer.Argument(help="A chart; genai-atlas charts lists them.")] = None,
    form: Annotated[
        list[Form] | None, typer.Option("--format", "-f", help="The format; again for a further one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A file, a folder, or - for the standard output.")
    ] = None,
    filters: FilterOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every chart, into the folder -o.")] = False,
    size: SizeOption = "article",
    mode: ModeOption = "light",
    scale: ScaleOption = 1.0,
    force: ForceOption = False,
    home: HomeOption = None,
    data: DataOption = None,
) -> None:
    """Write a chart of the current build as picture, page or data; with --all, every chart and an index."""
    forms = list(dict.fromkeys(form or [_form_of(out)]))
    if everything == (chart is not None):
        raise MisuseError("Name one chart, or --all for every chart.")
    # Streamlit, pandas and Kaleido are seconds of import that the other commands do without.
    from dashboard.address import find_chart, read_filters, root  # noqa: PLC0415
    from dashboard.export import render, select  # noqa: PLC0415
    from dashboard.export.files import is_folder  # noqa: PLC0415
    from dashboard.export.pictures import read_size  # noqa: PLC0415

    read_size(size, scale)

    def make(selection: Selection, each: str) -> Export:
        return render(selection, each, size=size, mode=mode, scale=scale)

    if chart is None:
        if filters:
            raise MisuseError("Filters (-p) hold for one chart; leave out --all, or leave them out.")
        folder = _folder(out)
        _export_all(_opened(home, data), folder, forms, make, force=force)
        return
    wanted = find_chart(chart)
    if len(forms) > 1 and (out is None or not is_folder(out)):
        raise MisuseError("Several formats need a folder that is there: name it with -o.")
    opened = _opened(home, data)
    selection = select(opened, wanted, read_filters(wanted, _asked(filters or [])), root())
    for each in forms:
        _export_one(selection, each, out, make, force=force)


@app.command()
@reported
def report(  # noqa: PLR0913, PLR0917 - one argument an option
    out: Annotated[Path, typer.Option("-o", "--out", help="The document: FILE.html or FILE.pdf.")],
    charts: Annotated[
        list[str] | None, typer.Option("--charts", help="Charts, with commas between; all by default.")
    ] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="The charts of a page.")] = None,
    rows: Annotated[int, typer.Option("--rows", help="Rows of each table; 0 for no tables.", min=0)] = 20,
    mode: ModeOption = "light",
    force: ForceOption = False,
    home: HomeOption = None,
    data: DataOption = None,
) -> None:
    """Write charts of the current build as one document: cover, contents, charts, tables, sources."""
    if out.suffix.lower() not in {".html", ".pdf"}:
        raise MisuseError(f"A report is an .html or a .pdf file, and {out.name} is neither.")
    from dashboard.address import root  # noqa: PLC0415
    from dashboard.export import report as document  # noqa: PLC0415
    from dashboard.export import select  # noqa: PLC0415
    from dashboard.export.files import check_writable, write  # noqa: PLC0415
    from dashboard.export.pictures import find_browser  # noqa: PLC0415

    chosen = _chosen(charts or [], topic or [])
    check_writable(out, force=force)
    find_browser()
    opened = _opened(home, data)
    with _counting(len(chosen)) as step:
        selections = [select(opened, chart, chart.filters(), root()) for chart in chosen]
        made = document.html(selections, mode=mode, rows=rows, done=lambda each: step(each.chart.title))
    if out.suffix.lower() == ".pdf":
        made = document.pdf(made)
    write(out, made, force=force)
    stdout.print(str(out), markup=False, highlight=False)


def _form_of(out: Path | None) -> Form:
    """The format that the name of a file asks for; PNG where it asks for none."""
    asked = out.suffix[1:].lower() if out else ""
    return next((form for form in Form if form == asked), Form.PNG)


def _asked(filters: Sequence[str]) -> dict[str, list[str]]:
    """NAME=VALUE texts as values by name.

    Raises:
        MisuseError: one has no "=".
    """
    asked: dict[str, list[str]] = {}
    for text in filters:
        name, sign, value = text.partition("=")
        if not sign:
            raise MisuseError(f"The filter '{text}' has no value: write -p {text}=VALUE.")
        asked.setdefault(name, []).append(value)
    return asked


def _chosen(ids: Sequence[str], topics: Sequence[str]) -> list[Chart[Any]]:
    """The charts of these ids and topics in the order of the pages, all where none is named.

    Raises:
        MisuseError: one does not exist.
    """
    from dashboard.address import find_chart  # noqa: PLC0415
    from dashboard.pages import PAGES  # noqa: PLC0415

    order = [page.path for page in PAGES]
    known = {chart.topic for chart in REGISTRY.values()}
    for topic in topics:
        if topic not in known:
            raise MisuseError(f"There is no topic '{topic}'; there are {', '.join(sorted(known))}.")
    named = [find_chart(part.strip()) for text in ids for part in text.split(",") if part.strip()]
    named += [chart for chart in REGISTRY.values() if chart.topic in topics]
    found = {chart.id: chart for chart in named or REGISTRY.values()}.values()
    return sorted(found, key=lambda chart: order.index(chart.topic))


def _opened(home: Path | None, data: Path | None) -> Warehouse:
    """The build to export from; made first where these data, or this program, never made one."""
    settings = settings_for(home, data)
    build_if_needed(settings)
    os.environ.update(GENAI_ATLAS_HOME=str(settings.home), GENAI_ATLAS_DATA=str(settings.data))
    from dashboard.warehouse import warehouse  # noqa: PLC0415

    with progress() as tell:
        tell("Opening the build")
        opened = warehouse()
    if opened.notice:
        stderr.print(f"Warning: {opened.notice}", style="yellow", markup=False, highlight=False)
    return opened


def _export_one(
    selection: Selection,
    form: str,
    out: Path | None,
    make: Callable[[Selection, str], Export],
    *,
    force: bool,
) -> None:
    """Write one format of one chart, or print it where the place is -."""
    from dashboard.export.files import check_writable, is_folder, write  # noqa: PLC0415

    if out == Path("-"):
        sys.stdout.buffer.write(make(selection, form).content)
        return
    name = Path(f"{selection.file_stem}.{form}")
    path = name if out is None else out / name if is_folder(out) else out
    check_writable(path, force=force)
    with progress() as tell:
        tell(f"Making {path.name}")
        made = make(selection, form)
    write(path, made.content, force=force)
    stdout.print(str(path), markup=False, highlight=False)


def _folder(out: Path | None) -> Path:
    """The folder for many files, made where it is not there.

    Raises:
        AtlasError: it cannot be made, or a file has its name.
        MisuseError: none is named.
    """
    if out is None:
        raise MisuseError("Name the folder for all charts with -o.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AtlasError(
            f"The folder {out} cannot be made ({error.strerror}); name another with -o."
        ) from None
    return out


def _export_all(
    opened: Warehouse,
    folder: Path,
    forms: Sequence[str],
    make: Callable[[Selection, str], Export],
    *,
    force: bool,
) -> None:
    """Write every chart in every format, then the page that lists them; what fails is told at the end."""
    from dashboard.address import root  # noqa: PLC0415
    from dashboard.export import select  # noqa: PLC0415
    from dashboard.export.files import check_writable, write  # noqa: PLC0415
    from dashboard.export.report import index  # noqa: PLC0415

    charts = _chosen([], [])
    selections = [select(opened, chart, chart.filters(), root()) for chart in charts]
    for selection in selections:
        for form in forms:
            check_writable(folder / f"{selection.file_stem}.{form}", force=force)
    failed = []
    with _counting(len(selections) * len(forms)) as step:
        for selection in selections:
            for form in forms:
                try:
                    made = make(selection, form)
                except AtlasError as error:
                    failed.append(f"{selection.chart.id}, {form}: {error}")
                else:
                    write(folder / made.file_name, made.content, force=force)
                step(selection.chart.title)
    for each in failed:
        stderr.print(each, markup=False, highlight=False)
    if failed:
        raise AtlasError(f"{len(failed)} of {len(selections) * len(forms)} files could not be made.")
    # The page is made anew by every export into the folder: it lists what this one wrote.
    write(folder / "index.html", index(selections, forms), force=True)
    stdout.print(str(folder / "index.html"), markup=False, highlight=False)


@contextmanager
def _counting(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr that counts charts, silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("Starting", total=total)

        def step(words: str) -> None:
            bar.update(task, advance=1, description=words)

        yield step
