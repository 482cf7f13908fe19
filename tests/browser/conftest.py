"""A real server, as `genai-atlas serve` starts it, and a real browser that notices all that goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

from etl.warehouse import Home
from scripts.bootstrap import find_browser

DATA = Path(__file__).resolve().parents[2] / "data"
# Without a sandbox because CI runs as root; the rest keeps the browser from calling its maker.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60_000  # milliseconds; a first page on a busy machine
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Server:
    """A running `genai-atlas serve`."""

    address: str
    home: Home
    process: subprocess.Popen[str]
    log: Path

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:
            return str(answer.read().decode())


@dataclass
class Watch:
    """What went wrong in a browser, noted as it happens."""

    problems: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("console", lambda said: self.note(said.type == "error", f"console: {said.text}"))
        context.on("weberror", lambda error: self.problems.append(f"page: {error.error}"))
        context.on(
            "requestfailed", lambda asked: self.problems.append(f"failed: {asked.url} {asked.failure}")
        )
        context.on(
            "request", lambda asked: self.note(not _is_local(asked.url), f"left the machine: {asked.url}")
        )
        context.on("response", self.answered)

    def answered(self, response: Response) -> None:
        self.note(response.status >= 400, f"{response.status}: {response.url}")

    def note(self, is_wrong: bool, what: str) -> None:
        if is_wrong:
            self.problems.append(what)


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "file"} or parts.hostname in LOOPBACK


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    home: Home,
    port: int,
    folder: Path,
    *options: str,
    data: Path = DATA,
    environment: Mapping[str, str] | None = None,
) -> Server:
    """Start the program from a folder that is not the checkout, as somebody who installed it does."""
    program, log = Path(sys.executable).with_name("genai-atlas"), folder / f"{port}.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [program, "serve", "--home", home.path, "--data", data, "--port", str(port), *options],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=output,
            text=True,
        )
    return Server(f"http://127.0.0.1:{port}", home, process, log)


def wait_until_ready(server: Server) -> None:
    """Return as soon as the server answers; tell why it does not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            pytest.fail(f"The server ended: {server.log.read_text()}")
        try:
            server.get("/readyz")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("The server did not answer within a minute.")


def stop(server: Server) -> int:
    """End the server as Ctrl+C does; returns its exit code."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
    return server.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server(built_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(built_home.path, folder / "home")
    running = start(Home(folder / "home"), free_port(), folder)
    try:
        wait_until_ready(running)
        yield running
    finally:
        stop(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = find_browser()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium, Chrome or Edge was found, and CI has to have one.")
        pytest.skip("No Chromium, Chrome or Edge was found.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def new_page(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; in the end nothing may have gone wrong in any of them."""
    watch = Watch()
    contexts = []
    logged = len(server.log.read_text())

    def open_page(path: str = "/", *, mode: str = "light", script: str = "") -> Page:
        context = browser.new_context(
            base_url=server.address,
            viewport={"width": 1440, "height": 1000},
            color_scheme="dark" if mode == "dark" else "light",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watch.follow(context)
        page = context.new_page()
        page.add_init_script(script)
        page.goto(path)
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watch.problems == []
    assert server.log.read_text()[logged:] == ""


def settle(page: Page) -> None:
    """Wait until the page has its title and its script has come to an end."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def darken(page: Page) -> None:
    """Open the page once more, as a reader in the dark sees it."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_load_state("networkidle")  # what is still on its way would fail
    page.reload()
    settle(page)


def violations(page: Page) -> list[str]:
    """Which accessibility rules are broken that matter, with the first element that breaks each.

    axe does not look at the contrast of what is scrolled out of view, so the window gets as high as the page.
    """
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
    page.set_viewport_size({**size, "height": max(size["height"], height)})
    found = Axe().run(page).response["violations"]
    page.set_viewport_size(size)
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
