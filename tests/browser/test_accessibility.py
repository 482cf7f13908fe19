"""What opens on a page breaks no rule of axe-core whose breach is serious or critical."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard import theme
from tests.browser.conftest import settle, violations

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_menus_of_a_chart_have_none(new_page: NewPage, mode: theme.Mode) -> None:
    page = new_page("/market", mode=mode)
    card, menu = page.locator(".st-key-actions-market-forecasts"), page.get_by_test_id("stPopoverBody")
    card.get_by_role("button", name="Share").click()
    expect(menu.get_by_text("<iframe")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Cite").click()
    for way, word in {"BibTeX": "@misc", "SQL": "SELECT", "Python": "import"}.items():
        menu.get_by_role("tab", name=way).click()
        expect(menu.get_by_test_id("stCode").filter(visible=True)).to_contain_text(word)
        assert violations(page) == [], way


def test_the_sections_of_the_data_page_have_none(new_page: NewPage) -> None:
    page = new_page("/data")
    for section in ("Metrics", "Freshness", "Checks", "Changes", "Query"):
        page.wait_for_load_state("networkidle")  # what is still on its way would fail
        page.goto(f"/data?section={section}")
        settle(page)
        assert violations(page) == [], section


def test_a_card_with_overdue_figures_has_none(new_page: NewPage) -> None:
    page = new_page("/workforce?counter=indeed")
    expect(page.get_by_text("overdue: newest edition")).to_be_visible()
    assert violations(page) == []


def test_the_keyboard_alone_reaches_the_search_and_finds(new_page: NewPage) -> None:
    page = new_page("/sources")
    expect(page.get_by_role("combobox", name="Find")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Find":
            break
    page.keyboard.type("PyTorch · tool")
    expect(page.get_by_role("option").first).to_have_text("PyTorch · tool")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/tools.*tool=PyTorch"))
    settle(page)
