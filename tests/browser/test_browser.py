"""The dashboard in a real browser: addresses, history, links, downloads, both modes, three widths."""

from __future__ import annotations

import csv
import re
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard import pages, theme
from dashboard.chart import REGISTRY
from etl.build import build
from etl.warehouse import open_read_only
from tests.browser.conftest import (
    PATIENCE,
    Server,
    Watch,
    darken,
    free_port,
    settle,
    start,
    stop,
    violations,
    wait_until_ready,
)
from tests.etl.package_copy import PackageCopy

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]
WIDTHS = (768, 390, 1440)
# When each of these was first in the page.
NOTE_FIRST_SIGHT = """
const seen = window.seen = {};
const parts = { title: "h1", figures: "[data-testid=stMetricValue]", chart: ".js-plotly-plot .main-svg" };
new MutationObserver(() => {
    for (const [name, selector] of Object.entries(parts))
        if (!(name in seen) && document.querySelector(selector)) seen[name] = performance.now();
}).observe(document, { childList: true, subtree: true });
"""
MODES: tuple[theme.Mode, ...] = ("light", "dark")
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 28)"}


def card(page: Page, chart_id: str) -> Locator:
    return page.locator(f".st-key-card-{chart_id}")


def takeaway(page: Page, chart_id: str) -> Locator:
    """The sentence under a chart's title."""
    return card(page, chart_id).get_by_test_id("stMarkdown").first


def pick(page: Page, label: str, option: str) -> None:
    """Choose from a list as a reader does."""
    page.get_by_role("combobox", name=label, exact=True).first.fill(option)
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def press(page: Page, chart_id: str, name: str) -> None:
    """Press one of the buttons under a chart."""
    card(page, chart_id).locator(f".st-key-actions-{chart_id}").get_by_role("button", name=name).click()


def link_to_view(page: Page, chart_id: str) -> str:
    """The address that the card offers for this very view."""
    press(page, chart_id, "Share")
    code = page.get_by_test_id("stCode").first.locator("code")
    expect(code).to_have_text(re.compile(r"^http.*#"))
    address = code.inner_text().strip()
    page.keyboard.press("Escape")
    return address


def asked(page: Page) -> dict[str, list[str]]:
    """The parameters in the address bar."""
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize("listed", pages.PAGES, ids=[page.path for page in pages.PAGES])
def test_a_page_loads_without_a_fault_fits_every_width_and_is_accessible_in_both_modes(
    new_page: NewPage, listed: pages.Page
) -> None:
    page = new_page(f"/{listed.path}")
    expect(page).to_have_title(f"{listed.title} · GenAI Atlas")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUND["light"])
    assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
        # Nothing is wider than the screen.
        page.wait_for_function(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth <= main.clientWidth }"
        )
        # No link that is a sentence is cut.
        page.wait_for_function(
            "() => [...document.querySelectorAll('[data-testid=stMain] [data-testid=stPageLink-NavLink] p')]"
            ".every(words => words.scrollWidth <= words.clientWidth)"
        )
    darken(page)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUND["dark"])
    assert violations(page) == []
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("failed to draw")).to_have_count(0)


def test_charts_are_drawn_in_the_readers_mode(new_page: NewPage) -> None:
    page = new_page("/")
    for mode in MODES:
        if mode == "dark":
            darken(page)
        red, green, blue = (
            int(theme.TEMPLATES[mode].layout.xaxis.tickfont.color[at : at + 2], 16) for at in (1, 3, 5)
        )
        label = card(page, "market-forecasts").locator(".xtick text").first
        expect(label).to_have_css("fill", f"rgb({red}, {green}, {blue})")


def test_title_and_headline_figures_are_there_before_the_first_chart(new_page: NewPage) -> None:
    page = new_page("/", script=NOTE_FIRST_SIGHT)
    page.wait_for_function("() => 'chart' in window.seen")
    seen = page.evaluate("() => window.seen")
    assert seen["title"] <= seen["figures"] < seen["chart"]


def test_filters_change_the_chart_and_the_address_and_reset_brings_both_back(new_page: NewPage) -> None:
    page = new_page("/market")
    sentence = takeaway(page, "market-forecasts")
    before = sentence.inner_text()
    pick(page, "Market", "Artificial intelligence")
    expect(sentence).not_to_have_text(before)
    pick(page, "Publisher", "Statista")
    expect(page).to_have_url(re.compile("publisher=Statista"))
    card(page, "market-forecasts").get_by_text("Linear", exact=True).click()
    expect(page).to_have_url(re.compile("scale=Linear"))
    expect(card(page, "market-forecasts").get_by_text("(log scale)")).to_have_count(0)
    page.get_by_role("button", name="More filters").click()
    page.get_by_role("slider").first.press("ArrowRight")
    expect(page).to_have_url(re.compile("published="))
    assert asked(page).keys() == {"market", "publisher", "scale", "published"}
    page.keyboard.press("Escape")
    page.locator(".st-key-reset-market button").click()
    expect(sentence).to_have_text(before)
    expect(page).to_have_url(re.compile(r"/market\?scale=Linear$"))
    page.locator(".st-key-reset-market-forecasts button").click()
    expect(page).to_have_url(re.compile(r"/market$"))


def test_a_reload_keeps_the_filters(new_page: NewPage) -> None:
    page = new_page("/market")
    pick(page, "Market", "Artificial intelligence")
    expect(page).to_have_url(re.compile("market=Artificial"))
    year = page.get_by_label("Year", exact=True)
    year.fill("2031")
    year.press("Enter")
    expect(page).to_have_url(re.compile("year=2031"))
    expect(takeaway(page, "market-size-by-year")).to_contain_text("2031")
    sentences = [
        takeaway(page, chart_id).inner_text() for chart_id in ("market-forecasts", "market-size-by-year")
    ]
    page.reload()
    settle(page)
    expect(page.get_by_role("combobox", name="Market", exact=True)).to_have_value("Artificial intelligence")
    expect(page.get_by_label("Year", exact=True)).to_have_value("2031")
    expect(takeaway(page, "market-forecasts")).to_have_text(sentences[0])
    expect(takeaway(page, "market-size-by-year")).to_have_text(sentences[1])


def test_filters_survive_a_visit_to_another_page_and_the_way_back(new_page: NewPage) -> None:
    page = new_page("/market?market=Artificial+intelligence&scale=Linear&year=2031")
    sentence = takeaway(page, "market-size-by-year").inner_text()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("generative AI")
    expect(page).not_to_have_url(re.compile("market="))
    page.get_by_role("link", name="Market", exact=True).first.click()
    expect(takeaway(page, "market-size-by-year")).to_have_text(sentence)
    expect(page).to_have_url(re.compile("market=Artificial"))
    assert asked(page) == {"market": ["Artificial intelligence"], "scale": ["Linear"], "year": ["2031"]}
    expect(page.get_by_role("combobox", name="Market", exact=True)).to_have_value("Artificial intelligence")


def test_back_and_forward_bring_pages_and_filters_back(new_page: NewPage) -> None:
    page = new_page("/market?market=Artificial+intelligence")
    sentence = takeaway(page, "market-forecasts")
    narrowed = sentence.inner_text()
    page.get_by_role("link", name="Sources", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who says all this?")
    page.go_back()
    expect(sentence).to_have_text(narrowed)
    expect(page.get_by_role("combobox", name="Market", exact=True)).to_have_value("Artificial intelligence")
    page.locator(".st-key-reset-market button").click()
    expect(sentence).not_to_have_text(narrowed)
    page.go_back()
    expect(sentence).to_have_text(narrowed)
    page.go_forward()
    expect(sentence).not_to_have_text(narrowed)


def test_ids_in_an_address_are_as_good_as_words(new_page: NewPage) -> None:
    page = new_page(
        "/market?market=artificial_intelligence&scale=linear&attribution=primary&attribution=relayed&region=USA"
    )
    assert asked(page) == {
        "market": ["Artificial intelligence"],
        "scale": ["Linear"],
        "attribution": ["read at the publisher", "relayed by another page"],
        "region": ["United States"],
    }
    expect(page.get_by_role("combobox", name="Market", exact=True)).to_have_value("Artificial intelligence")
    expect(page.get_by_role("combobox", name="Region", exact=True)).to_have_value("United States")
    expect(page.get_by_text("does not exist here")).to_have_count(0)
    page.go_back()
    page.go_forward()
    expect(page.get_by_role("combobox", name="Market", exact=True)).to_have_value("Artificial intelligence")


def test_a_source_is_opened_by_its_id(new_page: NewPage, server: Server) -> None:
    with open_read_only(current(server)) as connection:
        found = connection.execute(
            "SELECT source_id, carrier, url FROM source_card WHERE publisher = 'IDC' ORDER BY ALL"
        ).fetchone()
    assert found is not None
    source_id, carrier, url = found
    page = new_page(f"/sources?source={source_id}")
    expect(page.get_by_test_id("stMarkdown").get_by_role("link", name=carrier)).to_have_attribute("href", url)


def test_nonsense_in_an_address_is_told_and_ignored(new_page: NewPage) -> None:
    page = new_page("/market?market=nonsense&year=MMXXX&published=1066&published=1492&base=-4&repeats=maybe")
    notes = page.get_by_text("does not exist here")
    expect(notes).to_have_count(3)
    expect(notes.nth(0)).to_contain_text("“nonsense” under “Market”")
    expect(notes.nth(0)).to_contain_text("“1066, 1492” under “Published”")
    expect(notes.nth(0)).to_contain_text("“maybe” under “Include repeats”")
    expect(notes.nth(1)).to_contain_text("“MMXXX” under “Year”")
    expect(page).to_have_url(re.compile(r"/market$"))
    expect(takeaway(page, "market-size-by-year")).to_contain_text("2030")


@pytest.mark.parametrize(
    ("start_at", "charts"),
    [
        (
            "/market",
            {
                "market-forecasts": {
                    "market": ["Artificial intelligence"],
                    "scale": ["Linear"],
                    "highlight": ["Statista"],
                    "target": ["2026", "2032"],
                },
                "market-scenario": {
                    "market": ["Artificial intelligence"],
                    "target": ["2026", "2032"],
                    "base": ["55"],
                    "growth": ["12"],
                    "horizon": ["2031"],
                },
                "market-vintages": {
                    "market": ["Artificial intelligence"],
                    "more": ["true"],
                    "house": ["Statista"],
                },
            },
        ),
        ("/", {"market-arithmetic": {}}),
    ],
)
def test_a_link_opens_the_same_view_in_a_fresh_browser(
    new_page: NewPage, server: Server, start_at: str, charts: dict[str, dict[str, list[str]]]
) -> None:
    chosen = {name: values for own in charts.values() for name, values in own.items()}
    page = new_page(f"{start_at}?{urlencode(chosen, doseq=True)}")
    for chart_id, own in charts.items():
        sentence = takeaway(page, chart_id).inner_text()
        address = link_to_view(page, chart_id)
        parts = urlsplit(address)
        assert (parts.path, parts.fragment) == ("/market", chart_id)
        fresh = new_page(address)
        expect(takeaway(fresh, chart_id)).to_have_text(sentence)
        expect(card(fresh, chart_id).locator(".main-svg").first).to_be_visible()
        expect(fresh.locator(f"#{chart_id}")).to_be_in_viewport()
        assert asked(fresh) == {**own, "chart": [chart_id], "build": [build_id(server)]}
        fresh.close()


def current(server: Server) -> Path:
    """The build that is served."""
    build = server.home.current()
    assert build is not None
    return build.path


def build_id(server: Server) -> str:
    """Its name."""
    return current(server).stem.removeprefix("build-")


def test_the_rows_of_a_chart_arrive_as_csv(new_page: NewPage, server: Server, tmp_path: Path) -> None:
    page = new_page("/market?publisher=IDC")
    press(page, "market-forecasts", "Share")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    name = download.value.suggested_filename
    assert name == f"genai-atlas-market-forecasts-publisher-idc-{build_id(server)}.csv"
    download.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["publisher"] for row in rows} == {"IDC"}
    assert takeaway(page, "market-forecasts").inner_text().startswith(f"{len(rows)} published path")


def test_the_chart_arrives_as_a_page_that_needs_no_network(
    new_page: NewPage, server: Server, browser: Browser, tmp_path: Path
) -> None:
    page = new_page("/market")
    press(page, "market-forecasts", "Share")
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML", exact=True).click()
    name = download.value.suggested_filename
    assert name == f"genai-atlas-market-forecasts-{build_id(server)}.html"
    download.value.save_as(tmp_path / "chart.html")
    watch, context = Watch(), browser.new_context(offline=True)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    watch.follow(context)
    offline = context.new_page()
    offline.goto((tmp_path / "chart.html").as_uri())
    expect(offline.locator(".main-svg").first).to_be_visible()
    expect(offline.locator(".scatterlayer .trace")).not_to_have_count(0)
    expect(offline.get_by_role("heading", level=1)).to_have_text(REGISTRY["market-forecasts"].title)
    assert requests == [(tmp_path / "chart.html").as_uri()]
    assert watch.problems == []
    context.close()


def test_the_chart_arrives_as_a_picture_of_the_size_that_was_chosen(
    new_page: NewPage, server: Server, tmp_path: Path
) -> None:
    page = new_page("/hubs", mode="dark")
    press(page, "hub-map", "Share")
    page.get_by_role("radio", name="Slide").click()
    page.wait_for_timeout(1000)  # the button of before the choice is gone, but not seen to be
    settle(page)
    # The first picture starts a browser of its own, beside those that the tests drive.
    with page.expect_download(timeout=2 * PATIENCE) as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert download.value.suggested_filename == f"genai-atlas-hub-map-{build_id(server)}.png"
    download.value.save_as(tmp_path / "chart.png")
    content = (tmp_path / "chart.png").read_bytes()
    assert content[16:24] == (3200).to_bytes(4, "big") + (1800).to_bytes(4, "big")


def test_a_card_gives_the_lines_that_put_its_chart_into_a_page(new_page: NewPage, server: Server) -> None:
    page = new_page("/market?publisher=IDC")
    press(page, "market-forecasts", "Share")
    lines = page.get_by_test_id("stCode").nth(1).locator("code")
    expect(lines).to_contain_text(f'src="{server.address}/embed/market-forecasts?publisher=IDC"')
    expect(lines).to_contain_text(f'src="{server.address}/embed/_/frame.js"')


def test_a_figure_is_quoted_with_who_says_it_and_how_sure_one_may_be(new_page: NewPage) -> None:
    page = new_page("/market?publisher=IDC")
    press(page, "market-forecasts", "Cite")
    menu = page.get_by_test_id("stPopoverBody")
    expect(menu.get_by_test_id("stCode").first).to_contain_text("GenAI Atlas, build of ")
    menu.get_by_role("combobox", name="What to quote").click()
    page.get_by_role("option").first.click()
    sentence = menu.get_by_test_id("stCode").first
    expect(sentence).to_contain_text(
        re.compile(r"^IDC \(20.*as relayed by .* expects the market .* a forecast\.")
    )
    menu.get_by_role("tab", name="BibTeX").click()
    expect(menu.get_by_text("@misc{")).to_be_visible()


def test_the_camera_draws_title_sources_and_address_around_the_plot(
    new_page: NewPage, server: Server, tmp_path: Path
) -> None:
    page, build = new_page("/market?publisher=IDC"), build_id(server)
    permanent = (
        f"{server.address}/market?publisher=IDC&chart=market-arithmetic&build={build}#market-arithmetic"
    )
    for mode in MODES:
        if mode == "dark":
            darken(page)
        # What is written, by the browser's own account of it.
        page.evaluate(
            "() => { const pen = CanvasRenderingContext2D.prototype, own = pen.fillText; window.written = [];"
            " pen.fillText = function (text, x, y) { written.push(text); own.call(this, text, x, y); } }"
        )
        chart = card(page, "market-arithmetic")
        chart.locator(".main-svg").first.hover()
        plot = chart.locator(".main-svg").first.bounding_box()
        assert plot is not None
        with page.expect_download() as download:
            chart.get_by_role("button", name="Download plot as a PNG").click()
        name = download.value.suggested_filename
        assert name == f"genai-atlas-market-arithmetic-publisher-idc-{build}.png"
        download.value.save_as(tmp_path / "plot.png")
        image = Image.open(tmp_path / "plot.png").convert("RGB")
        assert image.width == 2 * (round(plot["width"]) + 32)
        assert image.height > 2 * plot["height"] + 200
        assert "rgb({}, {}, {})".format(*image.crop((3, 3, 4, 4)).tobytes()) == GROUND[mode]
        written = page.evaluate("() => window.written.join('')")
        for said in (REGISTRY["market-arithmetic"].title, "Source: IDC (", f"build {build}", permanent):
            assert said in written


def test_the_table_twin_takes_the_place_of_the_chart(new_page: NewPage) -> None:
    page = new_page("/market")
    press(page, "market-forecasts", "Table")
    expect(card(page, "market-forecasts").get_by_test_id("stDataFrame")).to_be_visible()
    expect(card(page, "market-forecasts").locator(".js-plotly-plot")).to_have_count(0)
    press(page, "market-forecasts", "Chart")
    expect(card(page, "market-forecasts").locator(".main-svg").first).to_be_visible()


def test_from_a_chart_to_its_source_it_is_two_clicks(new_page: NewPage, server: Server) -> None:
    page = new_page("/market?publisher=IDC")
    press(page, "market-forecasts", "Sources")
    listed = page.get_by_test_id("stPopoverBody").get_by_role("link")
    expect(listed.first).to_be_visible()
    chart = REGISTRY["market-forecasts"]
    with open_read_only(current(server)) as connection:
        sql, values = chart.query(chart.filters(publisher=["IDC"]))
        urls = set(connection.execute(sql, values).df()["url"])
    assert {link.get_attribute("href") for link in listed.all()} == urls


def test_every_control_is_reached_by_keyboard_and_every_chart_has_words(new_page: NewPage) -> None:
    page = new_page("/market")
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    for figure in page.get_by_test_id("stPlotlyChart").all():
        assert len(figure.get_attribute("aria-label") or "") > 40
    reached = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return (e.getAttribute('aria-label') || e.innerText || '').split('\\n').map(t => t.trim())"
                ".filter(t => t && !/^[a-z_]+$/.test(t)).join(' ') }"
            )
        )
    wanted = {
        "Overview",
        "Sources",
        "Market",
        "Publisher",
        "Region",
        "More filters",
        "Highlight",
        "Log",
        "Table",
        "Share",
    }
    assert wanted <= reached


def test_a_list_is_used_by_keyboard_alone(new_page: NewPage) -> None:
    page = new_page("/market")
    field = page.get_by_role("combobox", name="Market", exact=True)
    field.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Artificial intelligence", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("market="))


def test_a_rebuild_is_seen_without_a_restart(
    new_page: NewPage, server: Server, package_copy: PackageCopy
) -> None:
    page = new_page("/market")
    expect(page.get_by_text("292 published forecasts")).to_be_visible()
    count = len(package_copy.rows("market/forecasts.csv"))
    build(package_copy.settings(server.home.path))
    try:
        press(page, "market-forecasts", "Table")
        page.get_by_role("button", name="More filters").click()
        page.get_by_text("Include repeats").click()
        expect(page.get_by_text(f"{count} published forecasts")).to_be_visible()
    finally:
        server.home.rollback()
    page.reload()
    expect(page.get_by_text("292 published forecasts")).to_be_visible()


def test_ctrl_c_ends_the_server_quietly_and_its_port_is_its_own(server: Server, tmp_path: Path) -> None:
    port = free_port()
    own = start(server.home, port, tmp_path)
    wait_until_ready(own)
    (tmp_path / "second").mkdir()
    second = start(server.home, port, tmp_path / "second")
    assert second.process.wait(timeout=60) == 1
    assert (
        second.log.read_text() == f"Error: Port {port} of 127.0.0.1 is not free; name another with --port.\n"
    )
    assert stop(own) in {0, 130, -signal.SIGINT}
    assert own.log.read_text() == f"GenAI Atlas is at http://localhost:{port} (Ctrl+C ends it).\n"
