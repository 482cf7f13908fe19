"""Pictures of charts: each with its citation, of the right chart, of the size that was asked for."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from choreographer.browsers.chromium import Chromium
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dashboard import theme
from dashboard.chart import REGISTRY
from dashboard.export import SIZES, NoBrowserError, Selection, SizeError, pictures, render, select
from dashboard.export.look import COLORS, font_address
from dashboard.warehouse import Warehouse
from tests.dashboard.test_export import ROOT, selected

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def studio() -> Iterator[None]:
    """A browser for the pictures, ended with the module."""
    try:
        pictures.find_browser()
    except NoBrowserError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield
    pictures.close()


def drawing(selection: Selection, **options: Any) -> ET.Element:
    return ET.fromstring(render(selection, "svg", **options).content)  # noqa: S314 - our own drawing


def written(svg: ET.Element) -> str:
    """What stands around the chart, in reading order."""
    return " ".join(text.text or "" for text in svg.findall(f"{SVG}text")).replace("\N{NO-BREAK SPACE}", " ")


def pixels(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def overflow(svg: ET.Element) -> list[str]:
    """Texts that start outside of the picture."""
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    return [
        text.text or ""
        for text in svg.findall(f"{SVG}text")
        if not (0 < float(text.attrib["x"]) < width and 0 < float(text.attrib["y"]) < height)
    ]


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_says_what_it_shows_whose_it_is_and_where_it_is_from(opened: Warehouse, size: str) -> None:
    selection = selected(opened, "market-forecasts", publisher=["IDC", "Gartner"])
    svg = drawing(selection, size=size)
    said = written(svg)
    for text in (selection.chart.title, selection.takeaway, "Shown: Publisher: IDC, Gartner"):
        assert text in said
    for name in selection.publishers():
        assert name in said
    assert selection.build_id in said
    assert selection.link in said or selection.short_link in said
    assert "ublished 20" in said
    assert overflow(svg) == []


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("size", ["slide", "story", "300x200"])
def test_a_long_list_of_sources_is_counted_and_not_clipped(opened: Warehouse, size: str) -> None:
    selection = selected(opened, "market-forecasts")
    named = selection.publishers()
    said = written(svg := drawing(selection, size=size))
    kept = [name for name in named if f"{name}," in said or f"{name} and " in said]
    assert kept == named[: len(kept)]
    more = re.search(r" and (\d+) more, named at the address", said)
    assert more
    assert len(kept) + int(more[1]) == len(named)
    assert overflow(svg) == []


@pytest.mark.usefixtures("studio")
def test_words_without_end_are_broken_and_not_clipped(opened: Warehouse) -> None:
    selection = replace(selected(opened, "market-forecasts"), takeaway="W" * 400)
    svg = drawing(selection, size="story")
    lines = [text for text in svg.findall(f"{SVG}text") if set(text.text or "") == {"W"}]
    assert sum(len(line.text or "") for line in lines) == 400
    assert len(lines) > 5


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        ("slide", 1, (1600, 900)),
        ("square", 1, (1080, 1080)),
        ("story", 1, (1080, 1920)),
        ("slide", 4, (6400, 3600)),
        ("1200x630", 1.5, (1800, 945)),
    ],
)
def test_a_picture_has_the_very_size_and_ground_that_were_asked_for(
    opened: Warehouse, mode: theme.Mode, size: str, scale: float, expected: tuple[int, int]
) -> None:
    made = render(selected(opened, "market-growth-rates"), "png", size=size, scale=scale, mode=mode).content
    assert pixels(made) == expected
    image = Image.open(io.BytesIO(made)).convert("RGB")
    assert f"#{image.crop((3, 3, 4, 4)).tobytes().hex()}" == COLORS[mode]["ground"]


@pytest.mark.usefixtures("studio")
def test_the_chart_keeps_the_height_that_it_was_made_for(opened: Warehouse) -> None:
    """Rows of a long list stay apart on a flat slide: the picture is drawn larger and scaled down."""
    selection = selected(opened, "productivity-studies")
    assert selection.chart.height > 1000
    for size in ("slide", "article"):
        chart = drawing(selection, size=size).find(f"{SVG}svg")
        assert chart is not None
        assert float(chart.attrib["height"]) >= selection.chart.height - 1


@pytest.mark.usefixtures("studio")
def test_forty_pictures_asked_for_at_once_are_the_forty_that_were_asked_for(opened: Warehouse) -> None:
    charts = list(REGISTRY.values())[:40]
    selections = [select(opened, chart, chart.filters(), ROOT) for chart in charts]
    with ThreadPoolExecutor(len(selections)) as pool:
        drawn = list(pool.map(drawing, selections))
    for selection, svg in zip(selections, drawn, strict=True):
        assert svg.findtext(f"{SVG}title") == selection.chart.title
        assert written(svg).startswith(selection.chart.title)
        # The plot inside is that of the same chart: its axis says what the figure's axis says.
        inside = "".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))
        title = selection.figure("light").layout.title.text
        assert not title or re.sub(r"<[^>]+>|\s", "", title) in re.sub(r"\s", "", inside)


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_maps_are_drawn_without_the_network(opened: Warehouse, form: str) -> None:
    made = render(selected(opened, "hub-map"), form, size="slide").content
    assert made.startswith({"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF"}[form])
    if form == "svg":
        assert made.count(b"<path") > 30


@pytest.mark.usefixtures("studio")
def test_a_drawing_brings_its_typeface(opened: Warehouse) -> None:
    assert font_address()
    svg = render(selected(opened, "market-forecasts"), "svg").content.decode()
    assert "@font-face" in svg
    assert not re.search(r"""(?:href|src)\s*=\s*["']?https?:|url\(["']?https?:""", svg)


@pytest.mark.usefixtures("studio")
def test_an_empty_choice_gives_a_picture_that_says_so(opened: Warehouse) -> None:
    selection = selected(opened, "market-forecasts", publisher=["IDC"], target=["2035", "2035"])
    assert selection.frame.empty
    assert "Source" not in written(drawing(selection))
    said = "".join(drawing(selection).itertext())
    assert "No published figure matches these filters." in said
    assert "No published figure for this choice" in said


@pytest.mark.usefixtures("studio")
def test_a_browser_that_died_is_replaced(opened: Warehouse) -> None:
    selection = selected(opened, "market-growth-rates")
    before = drawing(selection)
    running = pictures._studio
    assert running is not None
    running.kaleido.subprocess.kill()
    running.kaleido.subprocess.wait(10)
    assert written(drawing(selection)) == written(before)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "scale", "said"),
    [
        ("poster", 1, "The size 'poster' is not known: name article, slide, square, story"),
        ("1000000x900", 1, "1000000 × 900 pixels: each side has 200 to 8000"),
        ("100x100", 1, "each side has 200 to 8000"),
        ("4000x500", 1, "no side is more than 4 times as long as the other"),
        ("8000x8000", 2, "more than 64 million"),
        ("slide", 5, "The scale 5 is not between 0.5 and 4"),
        ("slide", float("nan"), "The scale nan is not between"),
        ("slide", 0, "The scale 0 is not between"),
    ],
)
def test_a_size_that_cannot_be_is_refused(size: str, scale: float, said: str) -> None:
    with pytest.raises(SizeError, match=re.escape(said)):
        pictures.read_size(size, scale)


@given(st.one_of(st.text(max_size=60), st.from_regex(r"\d{1,7}x\d{1,7}", fullmatch=True)), st.floats())
def test_a_size_that_is_taken_can_be_drawn(size: str, scale: float) -> None:
    with suppress(SizeError):
        taken = pictures.read_size(size, scale)
        assert 0.5 <= scale <= 4
        assert taken.height is None or taken.width * taken.height * scale**2 <= pictures.MOST_PIXELS


def test_without_a_browser_pictures_say_how_to_get_one_and_the_rest_works(
    opened: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_studio", None)
    monkeypatch.setattr(Chromium, "find_browser", lambda **_: None)
    monkeypatch.delenv("GENAI_ATLAS_BROWSER", raising=False)
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    selection = selected(opened, "market-forecasts")
    for form in ("png", "svg", "pdf"):
        with pytest.raises(NoBrowserError, match=r"none was found: install one, or run kaleido_get_chrome"):
            render(selection, form)
    for form in ("html", "csv", "xlsx", "parquet", "json"):
        assert render(selection, form).content


@pytest.mark.parametrize("name", ["GENAI_ATLAS_BROWSER", "BROWSER_PATH"])
def test_a_browser_that_is_named_and_is_none_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAI_ATLAS_BROWSER", raising=False)
    monkeypatch.setenv(name, "/no/such/browser")
    with pytest.raises(NoBrowserError, match=f"{name} names '/no/such/browser', which is no program"):
        pictures.find_browser()


@pytest.mark.usefixtures("studio")
def test_a_process_that_drew_ends_by_itself_and_says_nothing() -> None:
    code = "from dashboard.export import pictures; print(len(pictures.draw({'data': []}, {'format': 'png'})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True
    )
    assert int(done.stdout) > 100
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
