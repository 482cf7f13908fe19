"""Our World in Data: tables only in a new edition, charts that are gone, columns that move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from etl.refresh import planned
from tests.etl.replay import Reply, Responder
from tests.etl.sources.conftest import Live

INVESTMENT = "private-investment-in-artificial-intelligence"
BY_KIND = "corporate-investment-in-artificial-intelligence-by-type"
POSTINGS = "share-artificial-intelligence-job-postings"
# Charts with the unit that their description states and the column of their table.
CHARTS = {
    INVESTMENT: ("constant 2021 US$", "private_investment"),
    "global-investment-in-generative-ai": ("constant 2021 US$", "generative_ai"),
    BY_KIND: ("constant 2021 US$", "corporate_investment"),
    "private-investment-in-artificial-intelligence-cset": ("constant 2021 US$", "investment"),
    POSTINGS: ("%", "ai_job_postings_share"),
    "annual-scholarly-publications-on-artificial-intelligence": ("articles", "num_articles"),
    "share-companies-using-artificial-intelligence": ("%", "pct_of_respondents"),
}
VALUES = {"%": "11", "articles": "111"}


def description(slug: str, day: str = "1999-04-01", **other: Any) -> dict[str, Any]:
    unit, column = CHARTS[slug]
    told = {"unit": unit, "shortUnit": "", "lastUpdated": day, "citationLong": f"Example ({day})", **other}
    return {"chart": {"title": "Example"}, "columns": {column: told}}


def table(slug: str, *lines: str) -> str:
    unit, column = CHARTS[slug]
    value = VALUES.get(unit, "1110000000")
    return "\n".join([f"Entity,Code,Year,{column}", *(lines or (f"World,OWID_WRL,1999,{value}",)), ""])


def serve(live: Live, slug: str, descriptions: Sequence[Any] = (), tables: Sequence[Any] = ()) -> None:
    replies: list[Responder] = [
        each if isinstance(each, Reply) else Reply(each) for each in descriptions or [description(slug)]
    ]
    live.server.on(f"/grapher/{slug}.metadata.json", *replies)
    live.server.on(f"/grapher/{slug}.csv", *[Reply(each) for each in tables or [table(slug)]])


def serve_all(live: Live) -> None:
    for slug in CHARTS:
        serve(live, slug)


def ask(live: Live) -> tuple[str, list[str]]:
    """What came of it, and what was asked for."""
    before = len(live.server.received)
    outcome = live.ask("owid").outcome
    return outcome, sorted(each.path.removeprefix("/grapher/") for each in live.server.received[before:])


def test_figures_keep_their_names_and_citations(live: Live) -> None:
    serve_all(live)
    lines = ("United States,USA,1999,1110000000", "Atlantis,,1999,5", "Europe,,1999,", "Europe,,1998,222")
    serve(live, INVESTMENT, tables=[table(INVESTMENT, *lines)])
    serve(live, POSTINGS, tables=[table(POSTINGS, "France,FRA,1999,1.1")])
    kinds = ("Public offering,,1999,1110000000", "Total,,1999,2220000000")
    serve(live, BY_KIND, tables=[table(BY_KIND, *kinds)])
    assert live.ask("owid").outcome == "new"
    rows = {(each.source_id, each.entity_id, each.segment): each for each in live.rows("owid")}
    money = rows["live-owid-ai-private-investment", "USA", None]
    assert (money.value, money.unit_id, money.series) == (1.11e9, "usd", "constant 2021 US$")
    assert (money.relayed_by, money.note, money.vintage) == (
        "Our World in Data",
        "Example (1999-04-01)",
        "1999-04-01",
    )
    assert rows["live-owid-ai-private-investment", "europe", None].period == "1998"
    share = rows["live-owid-ai-job-postings", "FRA", None]
    assert (share.series, share.relayed_by) == ("Lightcast", "Stanford AI Index; Our World in Data")
    assert rows["live-owid-ai-corporate-investment", "world", "public offering"].value == 1.11e9
    assert rows["live-owid-ai-corporate-investment", "world", None].value == 2.22e9
    query = live.server.received[0].query
    assert query == {"v": "1", "csvType": "full", "useColumnShortNames": "true"}


def test_tables_are_asked_for_in_a_new_edition_only(live: Live) -> None:
    serve_all(live)
    later = description(INVESTMENT, "2000-04-01")
    tables = [table(INVESTMENT), table(INVESTMENT, "World,OWID_WRL,2000,5550000000")]
    serve(live, INVESTMENT, [description(INVESTMENT), description(INVESTMENT), later], tables)
    both = sorted(f"{slug}.{kind}" for slug in CHARTS for kind in ("metadata.json", "csv"))
    described = [each for each in both if each.endswith(".json")]
    assert ask(live) == ("new", both)
    assert ask(live) == ("unchanged", described)
    assert ask(live) == ("new", sorted([*described, f"{INVESTMENT}.csv"]))
    assert [each.value for each in live.rows("owid") if each.period == "2000"] == [5.55e9]


def test_a_chart_that_is_gone_or_withheld_keeps_its_figures(live: Live) -> None:
    serve_all(live)
    gone = Reply({"status": 404, "error": "Not found"}, 404)
    withheld = Reply({"status": 403, "error": "Not redistributable"}, 403)
    serve(live, INVESTMENT, [description(INVESTMENT), gone, withheld])
    live.ask("owid")
    before = live.rows("owid")
    for _ in range(2):
        assert live.ask("owid").outcome == "unchanged"
        assert live.outcomes("owid")[f"{INVESTMENT}.metadata.json"] == "missing"
    assert live.rows("owid") == before


def test_a_challenge_page_is_no_chart(live: Live) -> None:
    serve_all(live)
    serve(live, INVESTMENT, [Reply("<html>Are you a robot?</html>", 403)])
    result = live.ask("owid")
    assert (result.outcome, live.rows("owid")) == ("failed", ())


def test_columns_in_other_order_and_under_new_names(live: Live) -> None:
    serve_all(live)
    renamed = "private_investment_2021,year,code,entity\n1110000000,1999,OWID_WRL,World\n"
    serve(live, INVESTMENT, tables=[renamed])
    assert live.ask("owid").outcome == "new"
    serve(
        live, INVESTMENT, [description(INVESTMENT, "2000-04-01")], ["entity,code,year,a,b\nWorld,,1999,1,1\n"]
    )
    result = live.ask("owid")
    assert result.outcome == "failed"
    assert "has the columns a, b" in (result.reason or "")


def test_a_changed_unit_is_not_taken(live: Live) -> None:
    serve_all(live)
    serve(live, POSTINGS, [description(POSTINGS, unit="postings")])
    result = live.ask("owid")
    assert "is in 'postings', not in percent" in (result.reason or "")
    assert live.rows("owid") == ()


def test_a_web_page_for_a_table_keeps_the_last_figures(live: Live) -> None:
    serve_all(live)
    live.ask("owid")
    before = live.rows("owid")
    serve(live, POSTINGS, [description(POSTINGS, "2000-04-01")], ["<!doctype html><p>Moved"])
    assert live.ask("owid").outcome == "failed"
    assert live.rows("owid") == before


def test_500_then_fine(live: Live) -> None:
    serve_all(live)
    serve(live, POSTINGS, [Reply("", 500), description(POSTINGS)])
    result = live.ask("owid")
    assert (result.outcome, len(result.waits)) == ("new", 1)


def test_dry_run_asks_nothing(live: Live) -> None:
    serve_all(live)
    (plan,) = planned(live.settings, ["owid"], live.world)
    assert len(plan["requests"]) == len(CHARTS)
    assert live.server.received == []
