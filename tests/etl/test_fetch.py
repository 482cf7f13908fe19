"""The one door to the network: patient, bounded, honest about what it was told, silent about secrets."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import stamina

from etl.errors import AtlasError
from etl.ledger import Ledger, moment
from etl.sources.connector import Answer, Connector, Parsed, Request, Secret
from etl.sources.fetch import DeferredError, Fetcher, Hosts, SourceError, StoppedError, base_address
from etl.sources.verdicts import Reply as Judged
from etl.sources.verdicts import Verdict, judge_by_status
from tests.etl.replay import Received, Replay, Reply, replay, with_etag

NOW = datetime(1999, 12, 31, 12, tzinfo=UTC)
TABLE = "place,value\nexample,111\n"
SECRET = "very/secret+key"  # noqa: S105  # an invented one
FILE = Request("file", "/file", media="csv")
BIG = bytes(range(256)) * 6000
BIG_FILE = Request("big", "/big", media="any")


@dataclass
class Asker:
    """A source of its own with one base address, and a home to keep its answers in."""

    server: Replay
    ledger: Ledger
    connector: Connector = field(
        default_factory=lambda: Connector(
            "example",
            "The example source",
            {"": "https://example.test"},
            plan=lambda _: (),
            parse=lambda _: Parsed((), {}),
        )
    )
    environment: dict[str, str] = field(default_factory=dict)
    hosts: Hosts = field(default_factory=Hosts)
    fetchers: list[Fetcher] = field(default_factory=list)

    def fetcher(self, **traits: Any) -> Fetcher:
        """What a new run asks with."""
        run_id = self.ledger.write(
            "INSERT INTO run (started, version, options) VALUES (?, '0', '{}')", moment(NOW)
        )
        environment = {"GENAI_ATLAS_BASE_EXAMPLE": self.server.address, **self.environment}
        made = Fetcher(
            self.ledger,
            run_id,
            **{"hosts": self.hosts, "environment": environment, "clock": lambda: NOW, **traits},
        )
        self.fetchers.append(made)
        return made

    def ask(self, request: Request = FILE, **traits: Any) -> Answer:
        """One request in a run of its own."""
        return self.fetcher(**traits).ask(self.connector, request)

    @property
    def last(self) -> dict[str, Any]:
        """The last line of the ledger."""
        return self.ledger.query("SELECT * FROM request ORDER BY run_id DESC, started DESC LIMIT 1")[0]

    @property
    def waits(self) -> list[float]:
        return self.fetchers[-1].waits


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asker]:
    """A source, a server that speaks for it, a ledger; nothing waits."""
    with replay() as server, Ledger(tmp_path / "home").opened() as ledger:
        with stamina.set_testing(True, attempts=5, cap=True):
            asker = Asker(server, ledger)
            yield asker
        for fetcher in asker.fetchers:
            fetcher.close()


def with_secret(ask: Asker, secret: Secret) -> Asker:
    ask.connector = replace(ask.connector, secret=secret)
    ask.environment["EXAMPLE_KEY"] = SECRET
    return ask


def secrets_in(folder: Path) -> list[Path]:
    """Files of a home that hold the secret, as it is or packed."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            content += gzip.decompress(content) if path.suffix == ".gz" else b""
            if SECRET.encode() in content or b"very%2Fsecret" in content:
                found.append(path)
    return found


# --- waiting ------------------------------------------------------------------------------------------------


def test_wait_as_long_as_the_source_asks_in_seconds_or_until_a_date(ask: Asker) -> None:
    later = format_datetime(NOW + timedelta(seconds=45), usegmt=True)
    ask.server.on(
        "/file",
        Reply(status=429, headers={"Retry-After": "30"}),
        Reply(status=503, headers={"Retry-After": later}),
        Reply(TABLE),
    )
    assert ask.ask().text == TABLE
    assert ask.waits == [30.0, 45.0]
    assert ask.last["attempts"] == 3


def test_without_a_hint_each_wait_is_twice_the_last(ask: Asker) -> None:
    ask.server.on("/file", Reply(status=429), Reply(status=500), Reply(status=502), Reply(TABLE))
    ask.ask()
    assert ask.waits == [1.0, 2.0, 4.0]


def test_a_hint_that_is_shorter_than_the_usual_wait_does_not_hurry(ask: Asker) -> None:
    ask.server.on(
        "/file", Reply(status=500), Reply(status=500), Reply(status=429, headers={"Retry-After": "1"})
    )
    with pytest.raises(SourceError):
        ask.ask()
    assert ask.waits == [1.0, 2.0, 4.0, 8.0]


def test_a_hint_that_is_no_hint_is_none(ask: Asker) -> None:
    ask.server.on("/file", Reply(status=429, headers={"Retry-After": "soon"}), Reply(TABLE))
    ask.ask()
    assert ask.waits == [1.0]


def test_a_longer_wait_than_patience_is_for_a_later_run(ask: Asker) -> None:
    ask.server.on("/file", Reply(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(DeferredError, match=r"asked again after 1999-12-31 13:00 UTC") as deferred:
        ask.ask()
    assert deferred.value.until == NOW + timedelta(hours=1)
    assert len(ask.server.received) == 1
    assert (ask.last["outcome"], ask.last["status"]) == ("deferred", 429)


def test_a_quota_told_with_status_403_is_the_judges_affair(ask: Asker) -> None:
    def judge(reply: Judged) -> Verdict:
        if reply.status == 403 and reply.headers.get("x-ratelimit-remaining") == "0":
            reset = float(reply.headers["x-ratelimit-reset"]) - reply.received_at.timestamp()
            return Verdict("retry", "the limit is reached", reset)
        return judge_by_status(reply)

    ask.connector = replace(ask.connector, judge=judge)
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}
    ask.server.on("/file", Reply({"message": "limit"}, 403, limit), Reply(TABLE))
    ask.ask()
    assert ask.waits == [90.0]
    ask.server.on("/other", Reply({"message": "private"}, 403))
    with pytest.raises(SourceError, match="status 403"):
        ask.ask(Request("other", "/other"))


def test_it_gives_up_in_time_and_tells_what_was_said(ask: Asker) -> None:
    ask.server.on("/file", Reply("all is broken", 500))
    with pytest.raises(SourceError, match=r"status 500: all is broken, 5 times.*last good figures stay"):
        ask.ask()
    assert len(ask.server.received) == 5
    assert (ask.last["outcome"], ask.last["attempts"], ask.last["sha256"]) == ("failed", 5, None)


# --- answers that are none ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "body", "words"),
    [
        ("json", "<!doctype html><title>Sorry</title>", "no JSON"),
        ("csv", "<html>moved</html>", "a web page"),
        ("zip", "<html>moved</html>", "no zip file"),
        ("csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer to the file"),
        ("json", "", "empty"),
        ("csv", b"\xef\xbb\xbf <html>", "a web page"),
    ],
)
def test_a_page_with_status_200_is_not_what_was_asked_for(
    ask: Asker, media: Any, body: Any, words: str
) -> None:
    ask.server.on("/file", Reply(body))
    with pytest.raises(SourceError, match=words):
        ask.ask(replace(FILE, media=media))
    assert ask.ledger.stored("example") == {}
    assert list(ask.ledger.folder.rglob("*.gz")) == []


def test_an_error_in_an_envelope_with_status_200_is_told_by_the_judge(ask: Asker) -> None:
    def judge(reply: Judged) -> Verdict:
        verdict = judge_by_status(reply)
        if verdict.kind == "take" and b'"error"' in reply.body:
            return Verdict("reject", "it answers with an error")
        return verdict

    ask.connector = replace(ask.connector, judge=judge)
    ask.server.on("/file", Reply({"error": "unknown indicator"}))
    with pytest.raises(SourceError, match="it answers with an error"):
        ask.ask(replace(FILE, media="json"))


def test_nothing_there_is_an_answer_only_where_that_may_be(ask: Asker) -> None:
    assert ask.ask(replace(FILE, may_be_missing=True)).is_missing
    assert ask.last["outcome"] == "missing"
    with pytest.raises(SourceError, match="status 404"):
        ask.ask()


# --- transfers that break -----------------------------------------------------------------------------------


def test_a_body_that_ends_too_early_is_asked_for_again(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE, cut=8), Reply(TABLE))
    assert ask.ask().text == TABLE
    assert ask.waits == [1.0]


def test_a_body_that_always_ends_too_early_is_an_error(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE, headers={"Content-Length": "9999"}, cut=99))
    with pytest.raises(SourceError, match="5 times"):
        ask.ask()
    assert ask.ledger.stored("example") == {}


def test_silence_is_given_up_in_time(ask: Asker) -> None:
    ask.connector = replace(ask.connector, seconds=0.1)
    ask.server.on("/file", Reply(TABLE, stall=1), Reply(TABLE))
    begun = time.monotonic()
    assert ask.ask().text == TABLE
    assert time.monotonic() - begun < 0.9
    ask.server.on("/slow", Reply(TABLE, stall=0.3))
    with pytest.raises(SourceError, match="no answer in time"):
        ask.ask(Request("slow", "/slow"))


def test_nobody_there_is_told_in_one_sentence(ask: Asker) -> None:
    ask.environment["GENAI_ATLAS_BASE_EXAMPLE"] = "http://127.0.0.1:9"
    with pytest.raises(
        SourceError, match=r"The example source gave no usable answer to 'file' \(.+, 5 times\)"
    ):
        ask.ask()


def test_a_packed_body_is_kept_unpacked(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE, gzipped=True))
    assert ask.ask().text == TABLE
    packed = gzip.compress(TABLE[:9].encode()) + gzip.compress(TABLE[9:].encode())
    ask.server.on("/two", Reply(packed, headers={"Content-Encoding": "gzip"}))
    assert ask.ask(replace(FILE, key="two", path="/two")).text == TABLE


def test_a_bomb_ends_at_the_limit(ask: Asker) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    ask.server.on("/file", Reply(bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SourceError, match="more than 1,000,000 bytes"):
        ask.ask(replace(FILE, largest=1_000_000))
    assert len(ask.server.received) == 1
    assert list(ask.ledger.folder.iterdir()) == []


@pytest.mark.parametrize("packed", [b"no gzip at all", gzip.compress(BIG)[:500]])
def test_a_damaged_packing_is_asked_for_again(ask: Asker, packed: bytes) -> None:
    ask.server.on("/file", Reply(packed, headers={"Content-Encoding": "gzip"}), Reply(TABLE))
    assert ask.ask().text == TABLE


def test_a_packing_that_nobody_asked_for_is_refused(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE, headers={"Content-Encoding": "br"}))
    with pytest.raises(SourceError, match="packed as br"):
        ask.ask()
    assert ask.server.received[0].headers["accept-encoding"] == "gzip"


# --- large files are gone on with ---------------------------------------------------------------------------


def part_of(body: bytes, *, etag: str, cut: int | None = None) -> Any:
    """A server that sends what is missing of a body, if it is still the same one."""

    def reply(request: Received) -> Reply:
        told = request.headers.get("range")
        if told is None or request.headers.get("if-range") != etag:
            return Reply(body, headers={"ETag": etag}, cut=cut)
        start = int(told.removeprefix("bytes=").removesuffix("-"))
        span = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}", "ETag": etag}
        return Reply(body[start:], 206, span)

    return reply


def test_a_large_file_is_gone_on_with_where_it_stopped(ask: Asker) -> None:
    ask.server.on("/big", part_of(BIG, etag='"1"', cut=700_000), part_of(BIG, etag='"1"'))
    assert ask.ask(BIG_FILE).body == BIG
    first, second = ask.server.received
    start = int(second.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 700_000
    assert (first.headers.get("range"), second.headers["if-range"]) == (None, '"1"')
    assert ask.ledger.query("SELECT * FROM part") == []


def test_a_later_run_goes_on_with_a_large_file(ask: Asker) -> None:
    ask.server.on("/big", part_of(BIG, etag='"1"', cut=700_000), Reply("busy", 503))
    with pytest.raises(SourceError):
        ask.ask(BIG_FILE)
    ask.ledger.tidy(set(), NOW)
    ask.server.on("/big", part_of(BIG, etag='"1"'))
    ask.server.received.clear()
    assert ask.ask(BIG_FILE).body == BIG
    (only,) = ask.server.received
    assert only.headers["range"] != "bytes=0-"


def test_a_large_file_that_has_changed_is_read_from_the_start(ask: Asker) -> None:
    new = BIG[::-1]
    ask.server.on("/big", part_of(BIG, etag='"1"', cut=700_000), part_of(new, etag='"2"'))
    assert ask.ask(BIG_FILE).body == new


@pytest.mark.parametrize(
    "wrong",
    [
        Reply(b"elsewhere", 206, {"Content-Range": f"bytes 5-13/{len(BIG)}"}),
        Reply(b"no range", 206),
        Reply(b"", 416),
    ],
)
def test_a_part_that_does_not_fit_is_not_put_together(ask: Asker, wrong: Reply) -> None:
    ask.server.on("/big", part_of(BIG, etag='"1"', cut=700_000), wrong, part_of(BIG, etag='"1"'))
    assert ask.ask(BIG_FILE).body == BIG
    assert "range" not in ask.server.received[-1].headers


def test_a_part_that_nobody_asked_for_is_refused(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE, 206, {"Content-Range": "bytes 0-5/900"}))
    with pytest.raises(SourceError, match="a part of the file only"):
        ask.ask()


def test_a_weak_validator_promises_too_little_to_go_on(ask: Asker) -> None:
    ask.server.on("/big", part_of(BIG, etag='W/"1"', cut=700_000), part_of(BIG, etag='W/"1"'))
    assert ask.ask(BIG_FILE).body == BIG
    assert "range" not in ask.server.received[-1].headers


def test_large_files_are_asked_for_unpacked_and_tell_their_progress(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.sources.fetch.TELL_SECONDS", 0)
    ask.server.on("/big", Reply(BIG))
    seen: list[tuple[int, int | None]] = []
    ask.ask(replace(BIG_FILE, about=30_000_000), watch=lambda _, size, total: seen.append((size, total)))
    assert ask.server.received[0].headers["accept-encoding"] == "identity"
    assert seen[-1] == (len(BIG), len(BIG))


# --- redirects ----------------------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_the_ledger_names_the_end(ask: Asker) -> None:
    ask.server.on("/file", Reply(status=302, headers={"Location": "/moved"}))
    ask.server.on("/moved", Reply(TABLE))
    assert ask.ask().url == f"{ask.server.address}/moved"
    assert ask.last["url"].endswith("/moved")


def test_a_circle_of_redirects_ends(ask: Asker) -> None:
    ask.server.on("/file", Reply(status=301, headers={"Location": "/file"}))
    with pytest.raises(SourceError, match="redirects in a circle"):
        ask.ask()
    assert len(ask.server.received) == 6


@pytest.mark.parametrize("place", ["header", "query"])
def test_another_host_never_sees_the_key(ask: Asker, place: Any) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", place, "x-example-key", "more requests"))
    with replay() as other:
        other.on("/there", Reply(TABLE))
        leak = f"{other.address}/there?x-example-key={SECRET}&kept=1"
        ask.server.on("/file", Reply(status=302, headers={"Location": leak}))
        assert ask.ask().text == TABLE
    (sent,) = other.received
    assert SECRET in ask.server.received[0].headers.get("x-example-key", "") + ask.server.received[
        0
    ].query.get("x-example-key", "")
    assert "x-example-key" not in sent.headers
    if place == "query":
        assert sent.query == {"kept": "1"}


def test_a_key_in_the_body_does_not_follow_a_redirect_to_another_host(ask: Asker) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", "json", "registrationkey", "more requests"))
    post = Request(
        "post", "/post", method="POST", body='{"a": 1}', headers=(("Content-Type", "application/json"),)
    )
    with replay() as other:
        ask.server.on("/post", Reply(status=307, headers={"Location": f"{other.address}/there"}))
        with pytest.raises(SourceError, match="another host"):
            ask.ask(post)
        assert other.received == []
    assert SECRET in ask.server.received[0].body


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://example.test/file", "not safe"),
        ("ftp://example.test/file", "not safe"),
        ("https://", "gave no usable answer"),
    ],
)
def test_a_redirect_to_an_unsafe_address_is_not_followed(ask: Asker, location: str, words: str) -> None:
    ask.server.on("/file", Reply(status=302, headers={"Location": location}))
    with pytest.raises(SourceError, match=words):
        ask.ask()


def test_a_redirect_to_nowhere_is_an_error(ask: Asker) -> None:
    ask.server.on("/file", Reply("gone", 302))
    with pytest.raises(SourceError, match="redirects to nowhere"):
        ask.ask()


# --- secrets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["header", "query"])
def test_the_key_is_sent_to_its_owner_and_kept_nowhere(ask: Asker, place: Any) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", place, "apikey", "more requests", "Bearer {}"))
    next_page = f'<{ask.server.address}/file?apikey={SECRET}&page=2>; rel="next"'
    ask.server.on("/file", Reply(TABLE, headers={"Link": next_page}))
    answer = ask.ask(replace(FILE, params=(("a", "1"),)))
    (sent,) = ask.server.received
    told = sent.headers["apikey"] if place == "header" else sent.query["apikey"]
    assert told == f"Bearer {SECRET}"
    assert SECRET not in answer.url + str(answer.headers)
    assert secrets_in(ask.ledger.folder.parent) == []


def test_a_key_that_the_source_repeats_is_kept_nowhere(ask: Asker) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", "header", "apikey", "more requests"))
    ask.server.on("/file", Reply(f"the key {SECRET} is unknown", 400))
    with pytest.raises(SourceError) as refused:
        ask.ask()
    ask.server.on("/file", Reply(f"place,value\n{SECRET},1\n"))
    with pytest.raises(SourceError, match="repeats your key") as repeated:
        ask.ask()
    ask.server.on("/file", Reply(f"too many requests of {SECRET}", 429, {"Retry-After": "900"}))
    with pytest.raises(DeferredError) as deferred:
        ask.ask()
    assert SECRET not in str(refused.value) + str(repeated.value) + str(deferred.value)
    assert "[key]" in str(refused.value)
    assert secrets_in(ask.ledger.folder.parent) == []


def test_a_key_that_is_refused_costs_a_warning_and_no_figures(ask: Asker) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", "header", "Authorization", "more requests", "Bearer {}"))

    def reply(request: Received) -> Reply:
        return Reply("bad key", 401) if "authorization" in request.headers else Reply(TABLE)

    ask.server.on("/file", reply)
    ask.server.on("/next", reply)
    fetcher = ask.fetcher()
    assert fetcher.ask(ask.connector, FILE).text == TABLE
    fetcher.ask(ask.connector, replace(FILE, key="next", path="/next"))
    assert fetcher.warnings == ["The example source does not accept EXAMPLE_KEY; it was asked without."]
    assert [each.path for each in ask.server.received] == ["/file", "/file", "/next"]


def test_a_key_is_for_the_owners_address_only(ask: Asker) -> None:
    with_secret(ask, Secret("EXAMPLE_KEY", "header", "apikey", "more requests"))
    fetcher = ask.fetcher()
    assert fetcher._secret(ask.connector, "https://example.test") == SECRET
    assert fetcher._secret(ask.connector, "https://mirror.test") is None


# --- addresses and identity ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["http://example.test", "ftp://example.test", "https://", "example.test", "http://10.0.0.1"]
)
def test_plain_http_is_for_this_machine_only(ask: Asker, address: str) -> None:
    with pytest.raises(AtlasError, match=r"GENAI_ATLAS_BASE_EXAMPLE is '.*https address"):
        base_address(ask.connector, "", {"GENAI_ATLAS_BASE_EXAMPLE": address})


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:1", "https://a.test"]
)
def test_addresses_that_a_setting_may_name(ask: Asker, address: str) -> None:
    assert base_address(ask.connector, "", {"GENAI_ATLAS_BASE_EXAMPLE": address}) == address


def test_an_address_with_a_password_would_be_stored(ask: Asker) -> None:
    with pytest.raises(AtlasError, match="a user or password"):
        base_address(ask.connector, "", {"GENAI_ATLAS_BASE_EXAMPLE": "https://me:word@a.test"})


def test_it_says_who_asks(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE))
    ask.ask()
    ask.environment["GENAI_ATLAS_CONTACT"] = "mailto:someone@example.org"
    ask.ask()
    ask.environment["GENAI_ATLAS_CONTACT"] = "Zoë"
    with pytest.raises(AtlasError, match="GENAI_ATLAS_CONTACT is 'Zoë'"):
        ask.ask()
    agents = [each.headers["user-agent"] for each in ask.server.received]
    assert agents[0].startswith("genai-atlas/")
    assert agents[1] == f"{agents[0]} (mailto:someone@example.org)"


def test_a_proxy_does_not_stand_before_this_machine(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    ask.server.on("/file", Reply(TABLE))
    assert ask.ask().text == TABLE


# --- what is unchanged --------------------------------------------------------------------------------------


def test_an_unchanged_answer_costs_no_body(ask: Asker) -> None:
    ask.server.on("/file", with_etag(TABLE))
    new, same = ask.ask(), ask.ask()
    assert (new.sha256, new.text) == (same.sha256, same.text)
    assert (ask.last["outcome"], ask.last["status"]) == ("unchanged", 304)
    ask.server.on("/old", Reply(TABLE, modified="Thu, 01 Jan 1998 00:00:00 GMT"))
    old = replace(FILE, key="old", path="/old")
    ask.ask(old)
    ask.ask(old)
    assert (ask.last["outcome"], ask.last["status"]) == ("unchanged", 304)


def test_without_validators_the_same_bytes_are_unchanged(ask: Asker) -> None:
    ask.server.on("/file", Reply(TABLE))
    ask.ask()
    ask.ask()
    assert (ask.last["outcome"], ask.last["status"]) == ("unchanged", 200)


def test_validators_of_a_body_that_is_gone_are_not_sent(ask: Asker) -> None:
    ask.server.on("/file", with_etag(TABLE))
    ask.ledger.body(ask.ask().sha256).unlink()
    assert ask.ask().text == TABLE
    assert "if-none-match" not in ask.server.received[-1].headers


def test_validators_hold_for_who_asked(ask: Asker) -> None:
    ask.server.on("/file", with_etag(TABLE))
    ask.ask()
    with_secret(ask, Secret("EXAMPLE_KEY", "header", "apikey", "more requests"))
    ask.ask()
    assert "if-none-match" not in ask.server.received[-1].headers


# --- pacing -------------------------------------------------------------------------------------------------


def test_two_requests_to_one_host_are_apart_by_the_pause() -> None:
    hosts = Hosts()
    slept: list[float] = []
    for host in ("a.test", "a.test", "b.test"):
        with hosts.turn(host, 5.0, slept.append):
            pass
    (only,) = slept
    assert 4.5 < only <= 5.0


def test_one_host_is_asked_by_one_at_a_time_while_others_go_on(ask: Asker) -> None:
    both, inside = threading.Event(), threading.Lock()
    crowd: list[str] = []

    def reply(request: Received) -> Reply:
        host = request.headers["host"].split(":")[0]
        with inside:
            crowd.append(host)
            if len(set(crowd)) == 2:
                both.set()
        assert both.wait(5), "the other host was not asked meanwhile"
        time.sleep(0.05)
        with inside:
            assert crowd.count(host) == 1
            crowd.remove(host)
        return Reply(TABLE)

    ask.server.on("/file", reply)
    local = ask.server.address.replace("127.0.0.1", "localhost")
    results: list[str] = []
    threads = [
        threading.Thread(
            target=lambda address, number: results.append(
                ask.fetcher(environment={"GENAI_ATLAS_BASE_EXAMPLE": address})
                .ask(ask.connector, replace(FILE, key=str(number)))
                .text
            ),
            args=(address, number),
        )
        for number, address in enumerate([ask.server.address] * 2 + [local] * 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [TABLE] * 4


def test_a_stopped_run_asks_no_more(ask: Asker) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        ask.ask(stop=stop)
    assert ask.server.received == []
