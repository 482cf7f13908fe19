"""Microsoft AI diffusion: the newest file of a listing, real files, limits of the listing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from etl.refresh import planned
from tests.etl.replay import Reply
from tests.etl.sources.conftest import NOW, Live

ROOT = "/microsoft/ai-diffusion-report/main/data"
LISTING = "/repos/microsoft/ai-diffusion-report/contents/data"
COUNTRIES, METROS = "AI_Diffusion_H21999_Update.csv", "MSA_Ranking_1999H2.csv"
TABLE = (
    "Economy,H1 1999 AI Diffusion,H2 1999 AI Diffusion\r\n"
    "France,11.10%,22.20%\r\nAtlantis,5%,5%\r\nItaly,,33%\r\n"
)
METRO_TABLE = "\ufeffMSA Code,MSA Title,AI User Share\r\n35620,Example-New York,11.1\r\n99999,Elsewhere,5\r\n"


def listing(names: Sequence[str]) -> Reply:
    return Reply([{"name": name, "path": f"data/{name}", "type": "file", "size": 1} for name in names])


def serve(live: Live, countries: str = COUNTRIES, metros: str = METROS) -> None:
    live.server.on(LISTING, listing(["README.md", "US", "AI_Diffusion_H11999.csv", countries]))
    live.server.on(f"{LISTING}/US", listing(["State_Rankings_1999H2.csv", "MSA_Ranking_1998Q4.csv", metros]))
    live.server.on(f"{ROOT}/{countries}", Reply(TABLE, etag='"a"'))
    live.server.on(f"{ROOT}/US/{metros}", Reply(METRO_TABLE, etag='"b"'))


def shares(live: Live) -> dict[tuple[str, str], float]:
    return {(each.entity_id, each.period): each.value for each in live.rows("microsoft")}


def test_newest_files_of_both_folders(live: Live) -> None:
    serve(live)
    assert live.ask("microsoft").outcome == "new"
    assert shares(live) == {
        ("FRA", "1999-H1"): 11.1,
        ("FRA", "1999-H2"): 22.2,
        ("ITA", "1999-H2"): 33,
        ("new-york-us", "1999-H2"): 11.1,
    }
    assert {each.area_basis for each in live.rows("microsoft") if each.entity_id == "new-york-us"} == {
        "metro"
    }
    assert {each.vintage for each in live.rows("microsoft")} == {"1999-06", "1999-12"}
    assert live.ask("microsoft").outcome == "unchanged"


def test_a_newer_period_is_added_and_metros_keep_the_older(live: Live) -> None:
    serve(live)
    live.ask("microsoft")
    serve(live, "AI_Diffusion_Q12000_Update.csv", "MSA_Ranking_2000Q1.csv")
    assert live.ask("microsoft").outcome == "new"
    assert {period for entity, period in shares(live) if entity == "new-york-us"} == {"1999-H2", "2000-Q1"}


def test_spent_allowance_is_waited_for_in_a_later_run(live: Live) -> None:
    serve(live)
    live.ask("microsoft")
    before = live.rows("microsoft")
    reset = NOW + timedelta(hours=1)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset.timestamp():.0f}"}
    live.server.on(LISTING, Reply({"message": "API rate limit exceeded"}, 403, headers=headers))
    result = live.ask("microsoft")
    assert (result.outcome, result.retry_at) == ("deferred", reset.isoformat(timespec="milliseconds"))
    assert live.rows("microsoft") == before


def test_files_that_are_none(live: Live) -> None:
    serve(live)
    live.ask("microsoft")
    before = live.rows("microsoft")
    live.server.on(f"{ROOT}/{COUNTRIES}", Reply(TABLE.replace("Economy", "Country")), Reply("<html>Sorry"))
    for _ in range(2):
        assert live.ask("microsoft").outcome == "failed"
    serve(live, "Report.csv")
    live.server.on(LISTING, listing(["README.md"]))
    assert "holds no file AI_Diffusion" in (live.ask("microsoft").reason or "")
    assert live.rows("microsoft") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["microsoft"], live.world)
    assert [each["path"] for each in plan["requests"]] == [LISTING, f"{LISTING}/US"]
    assert live.server.received == []


def test_real_files_are_the_shipped_figures(live: Live, raw: Path) -> None:
    folder = raw / "microsoft_ai_diffusion"
    countries, metros = "AI_Diffusion_Q12026_Update.csv", "MSA_Ranking_2026Q1.csv"
    serve(live, countries, metros)
    live.server.on(f"{ROOT}/{countries}", Reply((folder / countries).read_bytes()))
    live.server.on(f"{ROOT}/US/{metros}", Reply((folder / metros).read_bytes()))
    result = live.ask("microsoft")
    assert (result.outcome, result.rows) == ("new", 147 * 3 + 35)
    found = shares(live)
    assert found["TUR", "2026-Q1"] > 0
    with (live.settings.data / "hubs" / "hubs.csv").open(encoding="utf-8", newline="") as handle:
        shipped = {
            (each["entity_id"], each["period"]): float(each["value"])
            for each in csv.DictReader(handle)
            if each["metric_id"] == "genai_users_share"
        }
    assert {key: value for key, value in found.items() if key[0].endswith("-us")} == shipped
    with (live.settings.data / "adoption" / "adoption.csv").open(encoding="utf-8", newline="") as handle:
        relayed = [
            each
            for each in csv.DictReader(handle)
            if each["source_id"].startswith("microsoft-ai-economy") and len(each["entity_id"]) == 3
        ]
    assert relayed
    assert {
        (e["entity_id"], e["period"], e["value"], found[e["entity_id"], e["period"]])
        for e in relayed
        if abs(found[e["entity_id"], e["period"]] - float(e["value"])) > 0.01
    } == {("CHN", "2025-H1", "16.4", 15.4)}, "one page says what the file does not"
