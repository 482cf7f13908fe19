"""A chart in a page elsewhere: as wide as its frame, as high as it needs to be, in the reader's colours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Server, Watch, violations

pytestmark = pytest.mark.browser

HOST_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Elsewhere</title></head>
<body><main><h1>Elsewhere</h1>
<iframe src="{server}/embed/{chart}" title="A chart" style="width: 100%; height: 100px; border: 0"></iframe>
<iframe src="about:blank" title="Another frame" style="height: 50px"></iframe></main>
<script src="{server}/embed/_/frame.js"></script></body></html>
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere(browser: Browser, server: Server, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """A page of another origin with a chart in it; in the end nothing may have gone wrong there."""
    host = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=host.serve_forever, daemon=True).start()
    watch, contexts = Watch(), []

    def open_page(chart: str, *, mode: str = "light", width: int = 1000) -> Page:
        (tmp_path / "page.html").write_text(HOST_PAGE.format(server=server.address, chart=chart))
        (tmp_path / "favicon.ico").touch()
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if mode == "dark" else "light"
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watch.follow(context)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{host.server_port}/page.html")
        expect(page.frame_locator("iframe").first.locator(".main-svg").first).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    host.shutdown()
    host.server_close()
    assert watch.problems == []


def height(page: Page) -> float:
    box = page.locator("iframe").first.bounding_box()
    assert box is not None
    return box["height"]


def overflow(page: Page) -> list[int]:
    """By how much the chart's page is wider and higher than its frame."""
    found: list[int] = page.frames[1].evaluate(
        "() => { const e = document.documentElement;"
        " return [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]; }"
    )
    return found


@pytest.mark.parametrize("chart", ["market-forecasts?publisher=IDC", "hub-map"])
def test_a_frame_gets_the_height_of_its_chart_at_any_width(
    elsewhere: Callable[..., Page], chart: str
) -> None:
    page = elsewhere(chart)
    page.wait_for_function("() => document.querySelector('iframe').clientHeight > 300")
    wide = height(page)
    assert overflow(page) == [0, 0]
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function(f"() => document.querySelector('iframe').clientHeight > {wide}")
    drawn = page.frame_locator("iframe").first.locator(".main-svg").first.bounding_box()
    assert drawn is not None
    assert drawn["width"] < 420
    assert overflow(page) == [0, 0]
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(f"() => document.querySelector('iframe').clientHeight === {round(wide)}")
    second = page.locator("iframe").nth(1).bounding_box()
    assert second is not None
    assert second["height"] < 60


@pytest.mark.parametrize(
    ("asked", "mode", "ground"),
    [
        ("", "light", "rgb(255, 255, 255)"),
        ("", "dark", "rgb(17, 22, 28)"),
        ("?mode=light", "dark", "rgb(255, 255, 255)"),
        ("?mode=dark", "light", "rgb(17, 22, 28)"),
    ],
)
def test_the_colours_are_the_readers_or_those_that_are_asked_for(
    elsewhere: Callable[..., Page], asked: str, mode: str, ground: str
) -> None:
    page = elsewhere(f"market-forecasts{asked}", mode=mode)
    expect(page.frame_locator("iframe").first.locator("body")).to_have_css("background-color", ground)


def test_the_colours_follow_while_it_is_open(elsewhere: Callable[..., Page]) -> None:
    page = elsewhere("market-forecasts")
    body = page.frame_locator("iframe").first.locator("body")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    page.emulate_media(color_scheme="dark")
    expect(body).to_have_css("background-color", "rgb(17, 22, 28)")


def test_it_names_its_sources_and_leads_to_the_dashboard(
    elsewhere: Callable[..., Page], server: Server
) -> None:
    frame = elsewhere("market-forecasts?publisher=IDC").frame_locator("iframe").first
    expect(frame.get_by_text("Source: IDC (2023")).to_be_visible()
    expect(frame.get_by_text("Shown: Publisher: IDC")).to_be_visible()
    address = frame.get_by_role("link", name="GenAI Atlas").get_attribute("href")
    assert address is not None
    assert address.startswith(f"{server.address}/market?publisher=IDC&chart=market-forecasts&build=")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_has_no_serious_violation(elsewhere: Callable[..., Page], mode: str) -> None:
    assert violations(elsewhere("market-forecasts", mode=mode)) == []
