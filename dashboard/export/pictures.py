"""A chart with its citation as PNG, SVG or PDF, drawn by Kaleido in a browser of this machine.

One browser serves the whole process, from an event loop in a thread of its own: Kaleido's shared server hands
pictures to the wrong caller when several ask at once.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import os
import re
import shutil
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import plotly.graph_objects as go
from choreographer.browsers.chromium import Chromium
from kaleido import Kaleido, PageGenerator
from kaleido.errors import JavascriptError, KaleidoError

from dashboard import theme
from dashboard.charts.marks import capitalised
from dashboard.export.look import ASSETS, COLORS, TOPOJSON, font_address
from dashboard.export.selection import Selection
from dashboard.theme import Mode
from etl.errors import AtlasError, MisuseError

PictureForm = Literal["png", "svg", "pdf"]
T = TypeVar("T")

SMALLEST_SIDE, LARGEST_SIDE = 200, 8000  # pixels, before scaling
MOST_PIXELS = 64_000_000  # after scaling
FLATTEST = 4  # times as wide as high, or as high as wide
SMALLEST_SCALE, LARGEST_SCALE = 0.5, 4
TABS = 2  # pictures drawn at the same time
PATIENCE = 60  # seconds for one picture


class SizeError(MisuseError):
    """A picture of that size cannot be made."""


class NoBrowserError(AtlasError):
    """There is no browser to draw pictures with."""


class PictureError(AtlasError):
    """The browser failed to draw."""


@dataclass(frozen=True)
class Size:
    """The size of a picture.

    Attributes:
        width: pixels before scaling.
        height: pixels; None follows the chart.
        least_width: how wide the chart is drawn at least, in pixels of the page; less makes text larger.
        lines: how many lines the names of the sources may take.
    """

    width: int
    height: int | None
    least_width: int
    lines: int = 3


SIZES = {
    "article": Size(1200, None, 860),
    "slide": Size(1600, 900, 1000, lines=2),
    "square": Size(1080, 1080, 680),
    "story": Size(1080, 1920, 480, lines=4),
}


def read_size(text: str, scale: float = 1) -> Size:
    """The size of that name, or of WIDTHxHEIGHT pixels.

    Raises:
        SizeError: there is no such size, or a picture of it would be absurd.
    """
    names = ", ".join(SIZES)
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise SizeError(f"The scale {scale:g} is not between {SMALLEST_SCALE} and {LARGEST_SCALE}.")
    if text in SIZES:
        return SIZES[text]
    match = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text, re.ASCII)
    if not match:
        raise SizeError(
            f"The size '{text[:40]}' is not known: name {names}, or WIDTHxHEIGHT such as 1200x630."
        )
    width, height = int(match[1]), int(match[2])
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (width, height)):
        raise SizeError(f"{width} × {height} pixels: each side has {SMALLEST_SIDE} to {LARGEST_SIDE}.")
    if max(width / height, height / width) > FLATTEST:
        raise SizeError(
            f"{width} × {height} pixels: no side is more than {FLATTEST} times as long as the other."
        )
    if width * height * scale**2 > MOST_PIXELS:
        raise SizeError(
            f"{width} × {height} pixels at scale {scale:g} are more than {MOST_PIXELS // 1_000_000} million; "
            "choose a smaller size or scale."
        )
    return Size(width, height, min(1000, max(480, round(width / 1.4))))


def picture(
    selection: Selection, form: str, *, size: str = "article", mode: Mode = "light", scale: float = 1
) -> bytes:
    """The chart with title, takeaway, sources, dates, build and address drawn around it.

    Raises:
        SizeError: a picture of that size cannot be made.
        NoBrowserError: no browser was found.
        PictureError: the browser failed.
    """
    asked = read_size(size, scale)
    figure = selection.figure(mode).to_dict()
    figure["layout"]["meta"] = {"picture": _citation(selection, asked, mode)}
    options = {
        "format": form,
        "width": asked.width,
        "height": asked.height or selection.chart.height,
        "scale": scale,
    }
    return draw(figure, options)


def _citation(selection: Selection, size: Size, mode: Mode) -> dict[str, Any]:
    """What assets/picture.js writes around the chart, and how."""
    choice, day = selection.choice, selection.built_on.replace(" ", "\N{NO-BREAK SPACE}")
    made = f"GenAI Atlas, build {selection.build_id} of {day}"
    return {
        "title": selection.chart.title,
        "takeaway": selection.takeaway,
        "choice": f"Shown: {choice}" if choice else "",
        "sources": [name.replace(" (", "\N{NO-BREAK SPACE}(") for name in selection.publishers()],
        "made": " ".join(f"{part}." for part in (capitalised(selection.dates()), made) if part),
        "address": selection.link,
        "shortAddress": selection.short_link,
        "width": size.width,
        "height": size.height,
        "leastWidth": size.least_width,
        "lines": size.lines,
        "chartHeight": selection.chart.height,
        "family": theme.FONT,
        "colors": COLORS[mode],
    }


def draw(figure: go.Figure | dict[str, Any], options: dict[str, Any]) -> bytes:
    """A figure as a picture, with Kaleido's own options: format, width, height, scale.

    Raises:
        NoBrowserError: no browser was found.
        PictureError: the browser failed.
    """
    topojson = TOPOJSON.as_uri() + "/"
    return _asked(lambda studio: studio.kaleido.calc_fig(figure, options, topojson=topojson))


def print_page(address: str) -> bytes:
    """A page of HTML as PDF, on A4 unless its own style says otherwise.

    Raises:
        NoBrowserError: no browser was found.
        PictureError: the browser failed.
    """
    return _asked(lambda studio: studio.print_page(address))


# --- the browser ----------------------------------------------------------------------------------


class _Studio:
    """A browser with Kaleido's pages in it, and the event loop that talks to it."""

    def __init__(self) -> None:
        """Start the browser.

        Raises:
            NoBrowserError: no browser was found.
        """
        browser = find_browser()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pictures", daemon=True)
        self._thread.start()
        self.kaleido: Kaleido = self.run(self._opened(browser))

    @staticmethod
    async def _opened(browser: str) -> Kaleido:
        script = (ASSETS / "picture.js").read_text(encoding="utf-8")
        pages = PageGenerator(mathjax=False)
        font = f'"{font_address()}"' if font_address() else "null"
        pages.footer = f"<script>window.atlasFont={font};\n{script}</script>{pages.footer}"
        # Kaleido's own patience is shorter than that of whoever waits, so that it can clear up first.
        kaleido = Kaleido(n=TABS, timeout=PATIENCE * 0.8, page_generator=pages, path=browser)
        await kaleido.open()
        return kaleido

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def print_page(self, address: str) -> bytes:
        tab = await self.kaleido.create_tab("about:blank")
        try:
            loaded = tab.subscribe_once("Page.loadEventFired")
            await tab.send_command("Page.enable")
            await tab.send_command("Page.navigate", params={"url": address})
            await loaded
            printed = await tab.send_command(
                "Page.printToPDF",
                params={
                    "printBackground": True,
                    "preferCSSPageSize": True,
                    "generateTaggedPDF": True,
                    "generateDocumentOutline": True,
                },
            )
            return base64.b64decode(printed["result"]["data"])
        finally:
            await tab.close()

    async def _ended(self) -> None:
        await self.kaleido.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def close(self) -> None:
        """End the browser and the thread."""
        try:
            self.run(self._ended())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()


_studio: _Studio | None = None
_starting = threading.Lock()


def _asked(work: Callable[[_Studio], Coroutine[Any, Any, bytes]]) -> bytes:
    """Have the browser do something; where it has died meanwhile, once more with a new one."""
    for attempt in (1, 2):
        studio = _current_studio()
        try:
            return studio.run(work(studio))
        except (KaleidoError, JavascriptError) as error:
            raise PictureError(f"The picture could not be drawn: {error}") from error
        except Exception as error:
            _discard(studio)
            if attempt == 2:
                raise PictureError(
                    f"The browser {find_browser()} failed ({type(error).__name__}: {error}); name another "
                    "one in BROWSER_PATH. The other formats need none."
                ) from error
    raise AssertionError("unreachable")


def _current_studio() -> _Studio:
    global _studio  # noqa: PLW0603 - one process, one browser
    with _starting:
        if _studio is None:
            _studio = _Studio()
        return _studio


def _discard(studio: _Studio) -> None:
    global _studio  # noqa: PLW0603 - one process, one browser
    with _starting:
        if _studio is studio:
            _studio = None
            with suppress(Exception):
                studio.close()


@atexit.register
def close() -> None:
    """End the browser, if one was started; the next picture starts another."""
    if _studio is not None:
        _discard(_studio)


def find_browser() -> str:
    """The program that draws: what GENAI_ATLAS_BROWSER or BROWSER_PATH names, else one of this machine.

    Raises:
        NoBrowserError: there is none.
    """
    for name in ("GENAI_ATLAS_BROWSER", "BROWSER_PATH"):
        if chosen := os.environ.get(name):
            if found := shutil.which(chosen):
                return found
            raise NoBrowserError(
                f"{name} names '{chosen}', which is no program; name a Chromium, Chrome or Edge."
            )
    found = Chromium.find_browser(skip_local=False)
    if found and Path(found).is_file():
        return found
    raise NoBrowserError(
        "PNG, SVG and PDF need a Chromium, Chrome or Edge, and none was found: install one, or run "
        "kaleido_get_chrome, or name one in BROWSER_PATH. HTML, CSV, XLSX, Parquet and JSON need none."
    )
