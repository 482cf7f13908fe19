"""Epoch AI's reports on companies: what is taken, what is left out, and reports that disagree."""

from __future__ import annotations

import csv
import gzip
import io
import re
from pathlib import Path

import duckdb

from dashboard.chart import REGISTRY
from dashboard.charts import companies as _companies  # noqa: F401  # registers its charts
from etl.refresh import planned
from etl.sources.connector import Observation
from tests.etl.replay import Reply
from tests.etl.sources.conftest import Live

REVENUE = "Company,Date,Report date,Annualized revenue (USD),Scope,Confidence\n"
FUNDING = "Company,Close date,Report date,Status,Funding (equity),Valuation (post-money)\n"
STAFF = "Id,Company,Staff count,Date,Source 1,Source 2,Type,Division name,Source type,Confidence\n"
USAGE = (
    "Id,Company,Active users,Active users time period,Daily tokens,Daily messages,Date,Report date,Source 1,"
    "Source 2,Graph note,Notes,Source type,Product,Confidence,Exclude from graph view\n"
)
FILES = {
    "revenue_reports": REVENUE + "OpenAI,1999-12,2000-01-05,1110000000,Full company,Likely\n"
    "Google,1999-12-31,,222000,Cloud,Likely\nAtlantis AI,1999,,5,,\n",
    "funding_rounds": FUNDING
    + "OpenAI,1999-02-01,,Closed,1110000,\nOpenAI,1999-01,,Closed,2220000,111000000\n"
    "OpenAI,1999-03,,Rumored,5,5\n",
    "staff_reports": STAFF
    + "a,OpenAI,111,1999-01-01,https://www.example.org/a,,Full company,,Media report,Likely\n"
    "b,Google,222,1999-01-01,,,Full AI division,Google DeepMind,,\n"
    "c,Google,333,1999-01-01,,,Division/role,Google DeepMind,,\nd,OpenAI,444,spring,,,Full company,,,\n",
    "usage_reports": USAGE + 'a,OpenAI,111.0,Weekly,,,1999-01-01,,,,,"two\nlines",,Example chat,Likely,\n'
    "b,OpenAI,222.0,Weekly,,,1999-02-01,,,,,,,Example chat,Likely,TRUE\nc,OpenAI,,,1,1,1999-03-01,,,,,,,,,\n",
}


def serve(live: Live, **files: str) -> None:
    for name, text in {**FILES, **files}.items():
        live.server.on(f"/data/ai_companies_{name}.csv", Reply(text))


def rows(live: Live, metric: str) -> list[Observation]:
    return sorted((each for each in live.rows("epoch_companies") if each.metric_id == metric), key=str)


def test_each_kind_of_report(live: Live) -> None:
    serve(live)
    assert live.ask("epoch_companies").outcome == "new"
    revenue = {each.entity_id: each for each in rows(live, "company_revenue")}
    assert (revenue["company-openai"].value, revenue["company-openai"].segment) == (1.11e9, None)
    assert (revenue["company-openai"].period, revenue["company-openai"].vintage) == ("1999-12", "2000-01-05")
    assert revenue["company-google"].segment == "Cloud"
    assert [(each.period, each.value) for each in rows(live, "company_funding")] == [
        ("1999-01", 2.22),
        ("1999-02-01", 3.33),
    ]
    assert [each.value for each in rows(live, "company_valuation")] == [1.11e8]
    staff = {each.entity_id: each for each in rows(live, "company_staff")}
    assert {entity: each.value for entity, each in staff.items()} == {
        "company-openai": 111,
        "company-google-deepmind": 222,
    }
    assert staff["company-openai"].note == "Media report, Likely: https://www.example.org/a"
    (users,) = rows(live, "company_users")
    assert (users.value, users.segment, users.population) == (111, "Example chat", "weekly active users")
    editions = live.ledger.query("SELECT * FROM snapshot")
    assert len(editions) == 1


def test_unchanged_files_change_nothing(live: Live) -> None:
    serve(live)
    assert [live.ask("epoch_companies").outcome for _ in range(2)] == ["new", "unchanged"]


def test_reports_that_disagree_both_stand(live: Live) -> None:
    lines = [
        f"x,OpenAI,{count},1999-01-01,https://{host}/a,,Full company,,,\n"
        for count, host in ((111, "a.example"), (222, "b.example"), (222, "b.example"), (333, "b.example"))
    ]
    serve(live, staff_reports=STAFF + "".join(lines))
    assert live.ask("epoch_companies").outcome == "new"
    assert {(each.series, each.value) for each in rows(live, "company_staff")} == {
        ("a.example", 111),
        ("b.example, 222", 222),
        ("b.example, 333", 333),
    }


def test_a_figure_for_a_day_to_come_is_a_forecast(live: Live) -> None:
    serve(live, revenue_reports=REVENUE + "OpenAI,2030-12,2000-01-05,111000,Full company,Likely\n")
    assert live.ask("epoch_companies").outcome == "new"
    assert [each.status for each in rows(live, "company_revenue")] == ["forecast"]


def test_one_bad_file_keeps_the_last_figures(live: Live) -> None:
    serve(live)
    live.ask("epoch_companies")
    before = live.rows("epoch_companies")
    for text, words in (
        ("<html>Moved</html>", "a web page"),
        (FILES["staff_reports"].replace("Staff count", "Staff"), "no column Staff count"),
    ):
        serve(live, staff_reports=text)
        result = live.ask("epoch_companies")
        assert result.outcome == "failed"
        assert words in (result.reason or "")
        assert live.rows("epoch_companies") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["epoch_companies"], live.world)
    assert len(plan["requests"]) == len(FILES)
    assert live.server.received == []


def test_real_staff_reports_are_the_shipped_ones(live: Live, raw: Path) -> None:
    """The copy was saved by a spreadsheet; its dates are turned back."""
    text = gzip.decompress((raw / "epoch_ai" / "ai_companies_staff_reports.csv.gz").read_bytes()).decode()
    lines = list(csv.reader(io.StringIO(text)))
    turned = io.StringIO()
    csv.writer(turned).writerows(
        [re.sub(r"^(\d+)/(\d+)/(\d{4})$", _iso, cell) for cell in line] for line in lines
    )
    serve(live, staff_reports=turned.getvalue())
    live.ask("epoch_companies")
    found = {(each.entity_id, each.period): each.value for each in rows(live, "company_staff")}
    with (live.settings.data / "companies" / "figures.csv").open(encoding="utf-8", newline="") as handle:
        shipped = [
            each for each in csv.DictReader(handle) if each["source_id"] == "epoch-ai-undated-github-com-data"
        ]
    assert shipped
    assert all(found[each["entity_id"], each["period"]] == float(each["value"]) for each in shipped)
    assert found["company-openai", "2018-12-31"] == 113


def _iso(found: re.Match[str]) -> str:
    month, day, year = (int(part) for part in found.groups())
    return f"{year}-{month:02}-{day:02}"


def test_charts_show_each_company_once(live: Live) -> None:
    rounds = "Anthropic,2026-03,,Closed,1110000000,\nAnthropic,2026-05,,Closed,2220000000,9e10\n"
    serve(live, funding_rounds=FUNDING + rounds + "OpenAI,2026-05,,Closed,111000000,\n")
    result = live.refresh("epoch_companies", accept=True)
    assert result.build, result.error
    chart = REGISTRY["company-funding"]
    with duckdb.connect(str(result.build.build.path), read_only=True) as connection:
        frame = connection.execute(*chart.query(chart.filters())).df()
    assert frame["company_id"].is_unique
    told = {row["company_id"]: row for row in frame.to_dict("records")}
    newest = told["company-anthropic"]
    assert (newest["harmonised_value"], newest["period"]) == (3330.0, "2026-05")
    # Within a year what somebody states comes before the sum of the rounds that are known.
    assert told["company-openai"]["publisher"] == "OpenDossier"
