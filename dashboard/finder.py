"""Finding things from any page: charts, metrics, places, companies, tools and skills; where each is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dashboard.address import MORE, choices
from dashboard.chart import REGISTRY
from dashboard.pages import PAGES
from dashboard.warehouse import ask

# What a filter chooses, as the word behind each of its choices; page of the filter, its name.
_CHOICES = (
    ("place", "hubs", "place"),
    ("people and jobs", "workforce", "places"),
    ("company", "companies", "company"),
    ("tool", "tools", "tool"),
    ("skill", "tools", "skill"),
)


@dataclass(frozen=True)
class Hit:
    """Something that can be found.

    Attributes:
        label: what a reader types and sees, with its kind.
        page: path of the page that shows it.
        parameters: what its address asks for, by id.
        state: the same as the widgets of that page hold it.
    """

    label: str
    page: str
    parameters: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


def index() -> dict[str, Hit]:
    """Everything that can be found in the current build, by label: charts, choices of filters, metrics."""
    hits = [
        Hit(
            f"{chart.title} · chart",
            chart.topic,
            {MORE: "true"} if chart.is_behind_more else {},
            {MORE: True} if chart.is_behind_more else {},
        )
        for chart in sorted(REGISTRY.values(), key=lambda chart: chart.title)
    ]
    pages = {page.path: page for page in PAGES}
    for kind, path, name in _CHOICES:
        controls = {named: (declared, control) for named, declared, control in pages[path].controls()}
        takes_several = isinstance(controls[name][0].get_default(call_default_factory=True), list)
        hits += [
            Hit(f"{words} · {kind}", path, {name: value}, {name: [value] if takes_several else value})
            for value, words in choices(*controls[name]).items()
            if value
        ]
    hits += [
        Hit(f"{label} · metric", "data", asked := {"section": "Metrics", "metric": label}, asked)
        for label in ask("SELECT label FROM metric ORDER BY label")["label"]
    ]
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(hit.label, hit)
    return found
