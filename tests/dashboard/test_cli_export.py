"""The commands export and report: what they write, what they refuse, and that there is never half a file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboard import cli, warehouse
from dashboard.chart import REGISTRY
from dashboard.cli_export import Form
from dashboard.export import MEDIA_TYPES, NoBrowserError, files, pictures
from dashboard.pages import PAGES
from dashboard.warehouse import Warehouse
from etl.warehouse import Home
from tests.dashboard.test_pictures import studio  # noqa: F401 - a fixture
from tests.etl.package_copy import PackageCopy

pytestmark = pytest.mark.usefixtures("opened")
CHART = "market-forecasts"


def run(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """Run the program; returns what it said on stdout and on stderr, each on one line a message."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.stderr
    return result.stdout, result.stderr


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    yield
    assert not [path for path in tmp_path.rglob("*.part") if path.name not in before]


def test_the_formats_of_the_command_are_those_there_are() -> None:
    assert [str(form) for form in Form] == list(MEDIA_TYPES)


def test_a_chart_is_written_under_its_own_name_and_the_name_is_said(opened: Warehouse) -> None:
    said, _ = run("export", CHART, "-f", "csv", "-p", "publisher=IDC", "-p", "publisher=Gartner")
    name = said.strip()
    assert name == f"genai-atlas-{CHART}-publisher-idc-gartner-{opened.build_id}.csv"
    with Path(name).open(encoding="utf-8", newline="") as handle:
        assert {row["publisher"] for row in csv.DictReader(handle)} == {"IDC", "Gartner"}


def test_the_name_of_the_file_tells_the_format(tmp_path: Path) -> None:
    for form in ("csv", "json", "html", "xlsx", "parquet"):
        run("export", CHART, "-o", f"rows.{form}")
        assert Path(f"rows.{form}").stat().st_size
    assert json.loads(Path("rows.json").read_text(encoding="utf-8"))["chart"]["id"] == CHART


def test_several_formats_go_into_a_folder(tmp_path: Path) -> None:
    said, _ = run("export", CHART, "-f", "csv", "-f", "json", "-o", tmp_path)
    assert [Path(line).suffix for line in said.split()] == [".csv", ".json"]
    assert all(Path(line).is_file() for line in said.split())


def test_the_standard_output_gets_the_file_and_nothing_else() -> None:
    said, _ = run("export", CHART, "-f", "csv", "-p", "publisher=IDC", "-o", "-")
    assert {row["publisher"] for row in csv.DictReader(io.StringIO(said))} == {"IDC"}


@pytest.mark.usefixtures("studio")
def test_a_picture_is_written_in_the_size_that_was_asked_for() -> None:
    run("export", CHART, "-o", "slide.png", "--size", "slide", "--mode", "dark", "--scale", "0.5")
    content = Path("slide.png").read_bytes()
    assert content[16:24] == (800).to_bytes(4, "big") + (450).to_bytes(4, "big")


def test_where_these_data_were_never_built_they_are_built_first(
    package_copy: PackageCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "_opened", None)
    home = tmp_path / "new"
    said, _ = run("export", CHART, "-f", "json", "-o", "-", "--home", home, "--data", package_copy.folder)
    built = Home(home).current()
    assert built is not None
    assert json.loads(said)["build"]["id"] == built.build_id


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export"], "Name one chart, or --all for every chart."),
        (["export", CHART, "--all"], "Name one chart, or --all"),
        (["export", "../../etc/passwd"], "There is no chart '../../etc/passwd'; genai-atlas charts lists"),
        (
            ["export", CHART, "-p", "publisher"],
            "The filter 'publisher' has no value: write -p publisher=VALUE",
        ),
        (["export", CHART, "-p", "a=1", "-p", "scale=cubic"], "There is no filter 'a'"),
        (["export", CHART, "-p", "a=1", "-p", "scale=cubic"], "it takes 'log', 'linear'."),
        (["export", CHART, "-f", "docx"], "'docx' is not one of"),
        (["export", CHART, "--size", "1000000x900"], "each side has 200 to 8000"),
        (["export", CHART, "--scale", "9"], "The scale 9 is not between 0.5 and 4"),
        (["export", CHART, "-f", "csv", "-f", "json"], "Several formats need a folder"),
        (["export", "--all"], "Name the folder for all charts with -o"),
        (["export", "--all", "-o", "x", "-p", "scale=log"], "Filters (-p) hold for one chart"),
        (["report", "-o", "report.docx"], "A report is an .html or a .pdf file"),
        (
            ["report", "-o", "report.html", "--topic", "weather"],
            "There is no topic 'weather'; there are adop",
        ),
        (["report", "-o", "report.html", "--charts", f"{CHART},nope"], "There is no chart 'nope'"),
    ],
)
def test_misuse_is_told_and_nothing_is_written(arguments: list[str], said: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    _, error = run(*arguments, code=2)
    assert said in re.sub(r"[│\s]+", " ", error)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_there_stays_unless_forced() -> None:
    Path("rows.csv").write_text("mine", encoding="utf-8")
    _, error = run("export", CHART, "-o", "rows.csv", code=1)
    assert "rows.csv exists; --force replaces it." in error
    assert Path("rows.csv").read_text(encoding="utf-8") == "mine"
    run("export", CHART, "-o", "rows.csv", "--force")
    assert "claim_id" in Path("rows.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no/such/folder/rows.csv", "There is no folder no/such/folder; make it"),
        ("/proc/self/rows.csv", "cannot be written"),
        ("file/rows.csv", "There is no folder file; make it"),
        ("/dev/null", "/dev/null is no file that could be replaced"),
        (f"{'a' * 300}.csv", "cannot be written (File name too long)"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(place: str, said: str) -> None:
    Path("file").touch()
    _, error = run("export", CHART, "-o", place, code=1)
    assert said in error


def test_a_folder_that_cannot_be_made_is_told() -> None:
    Path("file").touch()
    _, error = run("export", "--all", "-f", "csv", "-o", "file/folder", code=1)
    assert "The folder file/folder cannot be made (Not a directory); name another with -o." in error


def test_a_full_disk_leaves_what_was_there(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("size=64k")
    (disk / "rows.html").write_text("mine", encoding="utf-8")
    _, error = run("export", CHART, "-o", disk / "rows.html", "--force", code=1)
    assert "failed (No space left on device); nothing was written." in error
    assert [path.name for path in disk.iterdir()] == ["rows.html"]
    assert (disk / "rows.html").read_text(encoding="utf-8") == "mine"


def test_a_crash_while_writing_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_bytes(b"mine")

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "rows.csv", b"theirs", force=True)
    assert [path.name for path in tmp_path.glob("*rows*")] == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_bytes() == b"mine"


def test_without_a_browser_the_report_says_so_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise NoBrowserError("PNG, SVG and PDF need a Chromium")

    monkeypatch.setattr(pictures, "find_browser", none)
    _, error = run("report", "-o", "report.html", code=1)
    assert "PNG, SVG and PDF need a Chromium" in error
    assert not Path("report.html").exists()


# --- everything -----------------------------------------------------------------------------------


def test_all_charts_are_written_with_a_page_that_lists_them(opened: Warehouse) -> None:
    said, _ = run("export", "--all", "-f", "json", "-o", "all/charts")
    assert said.strip() == "all/charts/index.html"
    page = Path("all/charts/index.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="([^":]+)"', page)
    assert len(linked) == len(REGISTRY)
    assert {path.name for path in Path("all/charts").iterdir()} == {*linked, "index.html"}
    for chart in REGISTRY.values():
        document = json.loads(
            Path(f"all/charts/genai-atlas-{chart.id}-{opened.build_id}.json").read_text(encoding="utf-8")
        )
        drawn = opened.query(*chart.query(chart.filters()))
        assert [row["claim_id"] for row in document["rows"]] == list(drawn["claim_id"])
    _, error = run("export", "--all", "-f", "json", "-o", "all/charts", code=1)
    assert "exists; --force replaces it." in error


@pytest.mark.usefixtures("studio")
def test_a_report_has_cover_contents_charts_tables_and_sources(opened: Warehouse) -> None:
    run("report", "--topic", "market", "--charts", "hub-map", "--rows", "3", "-o", "r.html")
    page = Path("r.html").read_text(encoding="utf-8")
    charts = [chart for chart in REGISTRY.values() if chart.topic == "market" or chart.id == "hub-map"]
    assert not re.search(r"""<(?:script|img|iframe|link)\b|\b(?:href|src)="(?!https?:|#|data:)""", page)
    assert not re.search(r"""url\(["']?https?:""", page)
    assert opened.build_id in page
    assert "<h1>GenAI Atlas: Market, Hubs</h1>" in page
    for chart in charts:
        frame = opened.query(*chart.query(chart.filters()))
        assert page.count(f'href="#{chart.id}"') == page.count(f'id="{chart.id}"') == 1
        for url in set(frame["url"]):
            assert f'href="{url}"'.replace("&", "&amp;") in page
    assert page.count("<svg class=") >= len(charts)
    assert page.count("</table>") == len(charts)
    listed = page[page.index('<ol class="sources">') :].count("<li>")
    sources = {
        source for chart in charts for source in opened.query(*chart.query(chart.filters()))["source_id"]
    }
    assert listed == len(sources)


@pytest.mark.usefixtures("studio")
def test_a_table_of_a_report_tells_once_what_is_the_same_in_all_rows(opened: Warehouse) -> None:
    run("report", "--charts", "investment-by-country", "-o", "r.html")
    page = Path("r.html").read_text(encoding="utf-8")
    chart = REGISTRY["investment-by-country"]
    table = chart.table(opened.query(*chart.query(chart.filters()))).drop(columns="Address")
    caption = re.search(r'<p class="quiet caption">(.*?)</p>', page)
    heads = re.findall(r"<th>(.*?)</th>", page)
    assert caption
    for name, column in table.items():
        values = set(column.astype(object).where(column.notna(), ""))
        if values == {""}:
            assert f"{name}: " not in caption[1]
        elif len(values) == 1:
            assert f"{name}: {column.iloc[0]}" in caption[1]
        assert (name in heads) == (len(values) > 1)
    assert "Number 1 in the list of sources" in page


@pytest.mark.usefixtures("studio")
def test_a_report_is_printed_with_bookmarks() -> None:
    run("report", "--charts", f"{CHART},market-arithmetic", "--rows", "2", "-o", "report.pdf")
    content = Path("report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Outlines" in content
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 5 <= pages <= 12


def test_charts_of_a_report_come_in_the_order_of_the_pages() -> None:
    from dashboard.cli_export import _chosen

    order = [page.path for page in PAGES]
    topics = [chart.topic for chart in _chosen([], [])]
    assert topics == sorted(topics, key=order.index)
    assert len(topics) == len(REGISTRY)
    twice: list[Any] = _chosen([CHART, f"{CHART},hub-map"], ["market"])
    assert len(twice) == len({chart.id for chart in twice}) == 11
