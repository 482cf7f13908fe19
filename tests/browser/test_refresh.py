"""A refresh beside the server: from the button over its progress to the new build, and on schedule."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from etl.build import build
from etl.ledger import Ledger
from etl.refresh import choose, is_refreshing
from etl.warehouse import Home
from tests.browser.conftest import Server, Watch, free_port, settle, start, stop, wait_until_ready
from tests.dashboard.live_home import PATH, edition
from tests.dashboard.test_refreshing import PATIENCE, wait_until
from tests.etl.package_copy import PackageCopy
from tests.etl.replay import Received, Replay, Reply, replay

pytestmark = pytest.mark.browser


@pytest.fixture
def answer() -> threading.Event:
    """Set, the live sources answer; before, they let wait."""
    return threading.Event()


@pytest.fixture
def sources(answer: threading.Event) -> Iterator[Replay]:
    """A server that speaks for Indeed."""

    def reply(_: Received) -> Reply:
        answer.wait(PATIENCE)
        return Reply(edition(2016, 2017))

    with replay() as server:
        server.on(PATH, reply)
        yield server
        answer.set()


@pytest.fixture
def home(tmp_path: Path, small_data: PackageCopy) -> Home:
    found = small_data.settings(tmp_path / "home")
    build(found)
    return Home(found.home)


def environment(sources: Replay) -> dict[str, str]:
    """Settings that lead Indeed to the test server and all others nowhere, and show what comes of it."""
    bases = {
        "_".join(part.upper() for part in ("GENAI_ATLAS_BASE", each.name, base) if part): "nowhere"
        for each in choose(())
        for base in each.bases
    }
    own = {"GENAI_ATLAS_BASE_INDEED": sources.address}
    return {**bases, **own, "GENAI_ATLAS_DEMO": "1", "GENAI_ATLAS_ALLOW_REFRESH": "1"}


@pytest.fixture
def server(home: Home, small_data: PackageCopy, sources: Replay, tmp_path: Path) -> Iterator[Server]:
    running = start(home, free_port(), tmp_path, data=small_data.folder, environment=environment(sources))
    try:
        wait_until_ready(running)
        yield running
    finally:
        stop(running)


@pytest.fixture
def watch() -> Iterator[Watch]:
    found = Watch()
    yield found
    assert found.problems == []


def reader(browser: Browser, server: Server, watch: Watch, path: str) -> Page:
    """A page in a browser of its own."""
    context = browser.new_context(base_url=server.address, viewport={"width": 1440, "height": 1000})
    watch.follow(context)
    page = context.new_page()
    page.goto(path)
    settle(page)
    return page


def test_from_the_button_to_the_new_build_while_others_read_on(
    browser: Browser, server: Server, watch: Watch, answer: threading.Event, sources: Replay
) -> None:
    old = server.home.builds()[0].build_id
    first = reader(browser, server, watch, "/data?section=Freshness")
    second = reader(browser, server, watch, "/data?section=Freshness")
    third = reader(browser, server, watch, "/market")
    claims = re.compile(r"^[\d,]+ claims from")
    before = second.get_by_text(claims).inner_text()

    first.get_by_role("button", name="Refresh now").click()
    expect(first.get_by_text("Indeed Hiring Lab: 0 of 1 requests")).to_be_visible()
    # The second reader does not know of it yet: the click starts nothing, and says so.
    second.get_by_role("button", name="Refresh now").click()
    expect(second.get_by_text("A refresh is running already")).to_be_visible()
    expect(second.get_by_text("Indeed Hiring Lab: 0 of 1 requests")).to_be_visible()
    assert len(sources.asked(PATH)) == 1
    # The third one goes on reading, undisturbed by all this.
    third.locator(".st-key-card-market-forecasts").get_by_text("Linear", exact=True).click()
    expect(third).to_have_url(re.compile("scale=Linear"))
    expect(third.get_by_text("Demonstration")).to_have_count(0)

    answer.set()
    # Who watches sees the new build come; who reads on meets it with the next click.
    expect(first.get_by_text(re.compile("^Refreshed a moment ago: 1 of "))).to_be_visible()
    expect(first.get_by_text("Demonstration")).to_be_visible()
    expect(first.get_by_text(claims)).not_to_have_text(before)
    expect(third.get_by_text("Demonstration")).to_have_count(0)
    third.locator(".st-key-card-market-forecasts").get_by_text("Log", exact=True).click()
    third.get_by_role("link", name="Overview").click()
    expect(third.get_by_text("Demonstration")).to_be_visible()
    line = third.get_by_role("link", name="Refreshed a moment ago: 2 figures added, from 1 source")
    line.click()
    expect(third).to_have_url(re.compile(r"/data\?section=Changes"))
    expect(third.get_by_text("2 added, 0 withdrawn, 0 changed claims.")).to_be_visible()
    assert [each.build_id for each in server.home.builds()][1:] == [old]


def test_a_schedule_starts_with_the_server_and_ends_with_it(
    home: Home, small_data: PackageCopy, sources: Replay, tmp_path: Path
) -> None:
    running = start(
        home,
        free_port(),
        tmp_path,
        "--refresh-every",
        "7d",
        data=small_data.folder,
        environment=environment(sources),
    )
    try:
        wait_until_ready(running)
        wait_until(lambda: bool(sources.asked(PATH)))
        assert is_refreshing(home.path)
    finally:
        stop(running)
    assert not is_refreshing(home.path)
    assert Ledger(home.path).query("SELECT ended FROM run") == [{"ended": None}]
    assert len(running.log.read_text().splitlines()) == 1
