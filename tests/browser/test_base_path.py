"""Everything works under a base path: pages, maps, links between pages, the API."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from etl.warehouse import Home
from tests.browser.conftest import PATIENCE, Server, Watch, free_port, settle, start, stop, wait_until_ready

pytestmark = pytest.mark.browser


@pytest.fixture
def server(built_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this test alone, under a base path."""
    monkeypatch.setenv("GENAI_ATLAS_BASE_PATH", "/atlas/")
    shutil.copytree(built_home.path, tmp_path / "home")
    started = start(Home(tmp_path / "home"), free_port(), tmp_path)
    running = replace(started, address=f"{started.address}/atlas")
    try:
        wait_until_ready(running)
        yield running
    finally:
        stop(running)


def test_pages_maps_and_links_work_under_a_base_path(browser: Browser, server: Server) -> None:
    watch = Watch()
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE)
    watch.follow(context)
    page = context.new_page()
    page.goto(f"{server.address}/hubs")
    settle(page)
    expect(page.locator(".st-key-card-hub-map .countries path").first).to_be_attached()
    page.get_by_role("link", name="Market").first.click()
    expect(page).to_have_url(f"{server.address}/market")
    settle(page)
    page.goto(server.address)
    expect(page).to_have_url(f"{server.address}/")
    settle(page)
    context.close()
    assert watch.problems == []
    assert json.loads(server.get("/readyz"))["status"] == "ready"
    chart = json.loads(server.get("/api/v1/charts/market-forecasts.json?publisher=IDC"))
    assert chart["chart"]["address"].startswith(f"{server.address}/market?publisher=IDC")
    assert f"{server.address} (Ctrl+C" in server.log.read_text().replace("localhost", "127.0.0.1")
