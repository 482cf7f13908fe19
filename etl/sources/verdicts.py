"""What a source means by an answer. Codes alone do not tell: errors come with status 200, limits with 403."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Media = Literal["json", "csv", "text", "zip", "any"]


@dataclass(frozen=True)
class Reply:
    """A complete answer before anybody has looked at it; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    media: Media
    may_be_missing: bool
    received_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What to do with a reply.

    Attributes:
        kind: take it; nothing is there; ask again; come back in a later run; give up.
        reason: for people, where it is not taken.
        wait: seconds that the source asks for, None where it does not say.
    """

    kind: Literal["take", "missing", "retry", "defer", "reject"]
    reason: str = ""
    wait: float | None = None


Judge = Callable[[Reply], Verdict]
TAKE = Verdict("take")


def judge_by_status(reply: Reply) -> Verdict:
    """The meaning that the standards give: RFC 9110 for the codes and Retry-After."""
    if 200 <= reply.status < 300:
        return judge_body(reply)
    if reply.status in {404, 410} and reply.may_be_missing:
        return Verdict("missing")
    reason = f"status {reply.status}{_first_words(reply)}"
    if reply.status in {408, 429} or reply.status >= 500:
        return Verdict("retry", reason, retry_after(reply))
    return Verdict("reject", reason)


def judge_body(reply: Reply) -> Verdict:
    """Whether the first bytes are those of what was asked for: an error page may come with status 200."""
    start = reply.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start and reply.media != "any":
        return Verdict("reject", "the answer is empty")
    if start.startswith(b"version https://git-lfs") and reply.media in {"csv", "zip"}:
        return Verdict("reject", "the answer is a pointer to the file, not the file")
    if reply.media == "json" and start[:1] not in {b"{", b"["}:
        return Verdict("reject", f"the answer is no JSON{_first_words(reply)}")
    if reply.media in {"csv", "text"} and start[:1] == b"<":
        return Verdict("reject", "the answer is a web page, not a table")
    if reply.media == "zip" and not start.startswith(b"PK"):
        return Verdict("reject", "the answer is no zip file")
    return TAKE


def retry_after(reply: Reply) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date; None where it does not stand there."""
    told = reply.headers.get("retry-after", "").strip()
    if not told:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - reply.received_at).total_seconds())


def _first_words(reply: Reply) -> str:
    """The start of a short text answer, to tell what the source said."""
    text = " ".join(reply.body[:200].decode("utf-8", "replace").split())
    return f": {text[:120]}" if text and not text.startswith("<") else ""
