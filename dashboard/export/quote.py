"""How to quote a chart or one of its figures: sentence, footnote, BibTeX, CSL-JSON, SQL, Python.

All of it is built from fields. The sentence says how sure one may be: a forecast "expects", a survey "found",
and who relays a figure is named beside who published it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pandas as pd

from dashboard import theme
from dashboard.charts.marks import UNNAMED, capitalised, counted, records
from dashboard.export.selection import Selection

OF_SOURCE = ("publisher", "title", "published", "url", "carrier")
_BOUNDS = {"at_least": "at least ", "at_most": "at most ", "about": "about "}
_TEX = {char: f"\\{char}" for char in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
# Kind of a claim -> what one and several are called.
_KINDS = {
    "forecast": "forecast",
    "estimate": "estimate",
    "survey": "survey result",
    "partial": "part-period figure",
    "actual": "reported figure",
}
# How a figure was read -> the same of several figures, after their number.
_HEDGES = {
    "relayed": "relayed by another page",
    "inferred": "of a firm inferred from the figures",
    "misquoted": "misquoted, differing from the original",
    "unnamed": "of a firm that is not named",
}


def figures(selection: Selection) -> dict[str, str]:
    """Claim -> how a reader tells it from the others, for every claim behind the chart."""
    return {
        claim.claim_id: f"{claim.publisher}: {claim.subject}, {claim.place}, {claim.period}"
        for claim in records(_filled(selection, selection.claims))
    }


def sentence(selection: Selection, claim_id: str | None = None) -> str:
    """One figure, or the chart's takeaway, with who says it and how sure one may be."""
    if claim_id is None:
        return f"{selection.takeaway.removesuffix('.')} ({_support(selection)})."
    claim = _claim(selection, claim_id)
    return _forecast(claim) if claim.dataset == "forecast" else _observation(claim)


def footnote(selection: Selection, claim_id: str | None = None) -> str:
    """Where a figure, or the chart, comes from."""
    if claim_id is None:
        return f"{selection.cite()}."
    claim = _claim(selection, claim_id)
    relayed = "" if claim.attribution == "primary" else f" ({theme.ATTRIBUTIONS[claim.attribution]})"
    title = f", “{claim.title}”" if claim.title else ""
    return (
        f"{claim.publisher}{title}, {claim.published or 'undated'}, read at {claim.url}{relayed}. "
        f"Via GenAI Atlas, “{selection.chart.title}”, build {selection.build_id}, {selection.link}."
    )


def bibtex(selection: Selection, claim_id: str | None = None) -> str:
    """The source of a figure, or the chart, as an entry for BibTeX."""
    entry = _entry(selection, claim_id)
    fields = {
        "author": f"{{{_tex(entry['author'])}}}" if entry["author"] else None,
        "title": f"{{{_tex(entry['title'])}}}",
        "year": f"{entry['date'][0]}" if entry["date"] else None,
        "month": f"{entry['date'][1]}" if len(entry["date"]) > 1 else None,
        "url": entry["url"].replace("{", "%7B").replace("}", "%7D"),
        "note": _tex(entry["note"]),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value is not None)
    return f"@misc{{{entry['id']},\n{lines}\n}}"


def csl(selection: Selection, claim_id: str | None = None) -> str:
    """The source of a figure, or the chart, as CSL-JSON, which Zotero and pandoc read."""
    entry = _entry(selection, claim_id)
    item: dict[str, Any] = {
        "id": entry["id"],
        "type": "graphic" if claim_id is None else "webpage",
        "title": entry["title"],
        "URL": entry["url"],
        "note": entry["note"],
    }
    if entry["author"]:
        item["author"] = [{"literal": entry["author"]}]
    if entry["date"]:
        item["issued"] = {"date-parts": [entry["date"]]}
    return json.dumps([item], ensure_ascii=False, indent=2)


def sql(selection: Selection) -> str:
    """The statement that gives the chart's rows, with the chosen values in it; runs in the console."""
    statement, values = selection.chart.query(selection.filters)
    return re.sub(r"\$(\w+)", lambda match: _literal(values[match[1]]), statement).strip()


def python(selection: Selection) -> str:
    """Python that gives the chart's rows."""
    chosen = "".join(f", {name}={value!r}" for name, value in selection.filters.changed().items())
    return (
        "from dashboard import atlas\n\n"
        f"# The rows of {selection.link}\n# as of build {selection.build_id}\n"
        f'frame = atlas.frame("{selection.chart.id}"{chosen})\n'
    )


# --- the sentence ---------------------------------------------------------------------------------


def _forecast(claim: Any) -> str:
    market = f"the market “{claim.subject.removesuffix(', market size').removesuffix(', growth a year')}”"
    where = "worldwide" if claim.place == "World" else f"in {claim.place}"
    rate = f"{theme.exact(claim.cagr_pct)}% a year" if claim.cagr_pct is not None else None
    bound = _BOUNDS.get(claim.bound, "")
    base = _amount(claim.base_value_usd_bn, claim.base_year)
    target = _amount(claim.forecast_value_usd_bn, claim.forecast_year)
    if base and target:
        said = f"expects {market} {where} to go from {base} to {bound}{target}"
    elif target:
        said = f"expects {market} {where} to come to {bound}{target}"
    elif base:
        said = f"puts {market} {where} at {bound}{base}"
    else:
        return f"{_who(claim)} expects {market} {where} to grow by {bound}{rate}. This is a forecast."
    growth = f", growing by {rate}" if rate else ""
    return f"{_who(claim)} {said}{growth}. This is {'a forecast' if target else 'an estimate'}."


def _amount(value: float | None, year: float | None) -> str | None:
    if value is None:
        return None
    return theme.usd_bn(value) + (f" in {int(year)}" if year is not None else "")


def _observation(claim: Any) -> str:
    verb = {
        "forecast": "expects",
        "estimate": "estimates",
        "survey": "found in a survey",
        "partial": "reports for a part of the period",
        "actual": "reports",
    }[claim.kind]
    sample = f", n = {claim.sample_size:,.0f}" if claim.sample_size is not None else ""
    computed = f" ({claim.basis})" if claim.basis and claim.basis != "claim" else ""
    value = f"{_BOUNDS.get(claim.bound, '')}{theme.exact(claim.value)} {claim.unit_label}"
    return (
        f"{_who(claim)} {verb}: {claim.subject}, {claim.place}, {claim.period or 'undated'}{sample}: "
        f"{value}{computed}."
    )


def _who(claim: Any) -> str:
    """Who says it and, where it was not read there, who relays it."""
    when = f" ({claim.published or 'undated'})"
    if claim.publisher == UNNAMED:
        return f"A firm that {claim.carrier} does not name{when}"
    if claim.attribution == "inferred":
        return f"A firm that {claim.carrier} does not name, by the figures {claim.publisher}{when},"
    relayed = {
        "relayed": f", as relayed by {claim.relayed_by or claim.carrier},",
        "misquoted": f", as misquoted by {claim.carrier} (the original differs),",
        "unnamed": f", as relayed by {claim.carrier} without a name,",
    }
    return f"{claim.publisher}{when}{relayed.get(claim.attribution, '')}"


def _support(selection: Selection) -> str:
    """How many figures of which kind stand behind a chart, and how many of them were read elsewhere."""
    claims = _filled(selection, selection.claims)
    kinds = Counter(claim.kind for claim in records(claims))
    parts = [counted(kinds[kind], noun) for kind, noun in _KINDS.items() if kinds[kind]]
    figures = ", ".join(parts) or f"records of {', '.join(selection.publishers())}"
    elsewhere = Counter(claim.attribution for claim in records(claims))
    hedges = [f"{elsewhere[how]:,} {words}" for how, words in _HEDGES.items() if elsewhere[how]]
    said = f"GenAI Atlas, build of {selection.built_on}, from {figures}"
    return f"{said}, of which {', '.join(hedges)}" if hedges else said


# --- references -----------------------------------------------------------------------------------


def _entry(selection: Selection, claim_id: str | None) -> dict[str, Any]:
    """What every kind of reference says."""
    if claim_id is None:
        made = selection.built_at
        return {
            "id": f"genai-atlas-{selection.chart.id}-{selection.build_id}",
            "author": "GenAI Atlas",
            "title": selection.chart.title,
            "date": [made.year, made.month, made.day],
            "url": selection.link,
            "note": f"Build {selection.build_id}, from {counted(len(selection.sources), 'source')}: "
            f"{', '.join(selection.publishers())}",
        }
    claim = _claim(selection, claim_id)
    return {
        "id": claim.source_id,
        "author": None if claim.publisher == UNNAMED else claim.publisher,
        "title": claim.title or f"{claim.subject}, {claim.place}, {claim.period}",
        "date": _date(claim.published),
        "url": claim.url,
        "note": f"{capitalised(theme.ATTRIBUTIONS[claim.attribution])}. Via GenAI Atlas, build "
        f"{selection.build_id}: {selection.link}",
    }


def _date(published: str | None) -> list[int]:
    """Year, month and day as far as they are known."""
    match = re.match(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?![\d-])", published or "")
    return [int(part) for part in match.groups() if part] if match else []


def _claim(selection: Selection, claim_id: str) -> Any:
    """A claim with its source, None for what is missing."""
    claims = selection.claims
    return next(records(_filled(selection, claims[claims["claim_id"] == claim_id])))


def _filled(selection: Selection, claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with their sources, None for what is missing."""
    claims = claims.merge(selection.sources[["source_id", *OF_SOURCE]], on="source_id")
    return claims.astype(object).where(claims.notna(), None)


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text)


def _literal(value: Any) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_literal, value))}]"
    quoted = str(value).replace("'", "''")
    return f"'{quoted}'"
