"""Job titles and the roles that they stand for: the reviewed table first, rules for titles never seen.

A rule is a pattern over the normalised title; the first that fits decides. What no rule fits stays
unmapped, and is counted and shown: a wrong role is worse than none.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.errors import ImportRefusedError

TITLES = Path("salaries/role_titles.csv")
MAX_TITLE_LETTERS = 200
_SPACE = re.compile(r"\s+")

_AI = r"(?:\bai\b|artificial intelligence)"
_ML = r"(?:\bml\b|machine[- ]?learning|deep[- ]learning)"
_GENAI = r"(?:gen(?:erative)?[- ]?ai\b|\bgenai\b|chat ?bot|conversational ai)"
_LEADS = r"(?:^head of|^director|\bdirector$|\blead\b|\bmanager\b|chief|\bvp\b|vice president)"
_BUILDS = (
    r"(?:engineer|developer|programmer|\bdev\b|entwickler|ingenieur|desarrollador|ingeniero|développeur)"
)

GENERAL, OTHER, ACADEMIC, CONTRACT = (
    "general title",
    "other occupation",
    "academic training post",
    "form of contract",
)
EXCLUSIONS = (GENERAL, OTHER, ACADEMIC, CONTRACT)
_GRADE = r"(?:(?:senior|sr\.?|junior|jr\.?|lead|principal|staff|associate) )*"

# Order matters: what names the narrower role comes first.
RULES: tuple[tuple[str, str], ...] = (
    # -- no role of this field, whatever else the title says
    (
        (
            rf"^{_GRADE}(?:engineer|manager|analyst|associate|consultant|director|architect|specialist|"
            r"executive|researcher|scientist|technical lead|tech lead|team lead|member of technical staff|"
            r"lead|principal|other)$"
        ),
        GENERAL,
    ),
    (
        (
            r"\bpost ?-?doc|research (?:fellow|assistant|associate)|\bphd (?:student|candidate)|"
            r"\bteach(?:er|ing)|professor"
        ),
        ACADEMIC,
    ),
    (
        r"^(?:stage|stagiaire|alternance|apprentice(?:ship)?|trainee|intern(?:ship)?|cdd|cdi|student)$",
        CONTRACT,
    ),
    (
        (
            r"annotat|data entry|\btutor\b|writer\b|\brecruit|account executive|sales development|"
            r"\badvocate|trader\b"
        ),
        OTHER,
    ),
    (
        (
            r"\bsales (?:engineer|representative|manager)|business development|customer success|"
            r"\bcounsel\b|\bnurse\b"
        ),
        OTHER,
    ),
    (
        (
            r"data cent(?:er|re)\b|"
            r"(?:civil|mechanical|electrical|process|field|network|hardware|qa|sales) engineer"
        ),
        OTHER,
    ),
    (
        r"(?:database|system|systems|salesforce|network|elasticsearch) administrator|security|technician",
        OTHER,
    ),
    # -- generative AI and machine learning
    (rf"{_GENAI}.*{_LEADS}|{_LEADS}.*{_GENAI}", "role-ai-lead"),
    (rf"{_GENAI}.*(?:scientist|research)", "role-ai-researcher"),
    (rf"{_GENAI}.*architect|architect.*{_GENAI}", "role-ai-architect"),
    (r"\bprompt\b", "role-prompt-engineer"),
    (rf"(?:\bllm\b|\bllms\b|large language model|\brag\b).*{_BUILDS}", "role-llm-engineer"),
    (rf"{_GENAI}|\bagent(?:ic)?(?: ai)? {_BUILDS}", "role-generative-ai-engineer"),
    (rf"(?:{_AI}|{_ML}).*product (?:manager|owner|lead|management)", "role-ai-product-manager"),
    (rf"product (?:manager|owner).*(?:{_AI}|{_ML})", "role-ai-product-manager"),
    (rf"(?:{_AI}|{_ML}).*architect|architect.*(?:{_AI}|{_ML})", "role-ai-architect"),
    (
        rf"\bmlops\b|\bllmops\b|(?:{_AI}|{_ML}).*(?:platform|infrastructure|operations|\bops\b)",
        "role-mlops-engineer",
    ),
    (r"computer vision|machine vision|perception engineer|image processing", "role-computer-vision-engineer"),
    (r"\bnlp\b|natural language|speech (?:engineer|scientist|recognition)|linguist", "role-nlp-engineer"),
    (rf"(?:{_AI}|{_ML}).*research engineer|research engineer.*(?:{_AI}|{_ML})", "role-research-engineer"),
    (rf"data scien(?:ce|tist).*(?:{_AI}|{_ML})|(?:{_AI}|{_ML}).*data scientist", "role-data-scientist"),
    (
        rf"(?:{_AI}|{_ML}).*(?:research|scientist)|(?:research|scientist).*(?:{_AI}|{_ML})",
        "role-ai-researcher",
    ),
    (rf"^{_GRADE}{_ML}.*{_BUILDS}$", "role-ml-engineer"),
    (rf"^{_GRADE}{_AI} {_BUILDS}$", "role-ai-engineer"),
    (rf"(?:{_AI}|{_ML}).*{_LEADS}|{_LEADS}.*(?:{_AI}|{_ML})", "role-ai-lead"),
    (rf"{_ML}.*(?:{_BUILDS}|model)|{_BUILDS}.*{_ML}", "role-ml-engineer"),
    (rf"{_AI}.*{_BUILDS}|{_BUILDS}.*{_AI}", "role-ai-engineer"),
    (rf"{_AI}|{_ML}", "role-ai-specialist"),
    # -- products, before what the product is made of
    (r"product (?:manager|owner|lead)\b|(?:director|head) of product", "role-product-manager"),
    # -- science
    (r"\bapplied (?:research )?scientist", "role-applied-scientist"),
    (r"research engineer", "role-research-engineer"),
    (
        (
            r"data scien(?:ce|tist) (?:\w+ )?(?:manager|director)|data science (?:tech )?lead|"
            r"(?:head|director|vp|chief)\b.* data science"
        ),
        "role-data-manager",
    ),
    (r"data scien(?:ce|tist)|cientista de dados|decision scientist", "role-data-scientist"),
    (
        r"statistic(?:ian|al)|\bactuar|psychometric|econometric|\bquant(?:itative)?\b",
        "role-statistician-or-quant",
    ),
    (r"research scientist|principal researcher", "role-research-scientist"),
    # -- data
    (r"business intelligence|\bbi\b|power ?bi|tableau|visuali[sz]ation|qlik|looker", "role-bi-specialist"),
    (r"analytics engineer\b", "role-analytics-engineer"),
    (r"data(?:base)? (?:\w+ )?architect|\bdata modell?er", "role-data-architect"),
    (
        (
            r"data (?:governance|quality|steward|management|integrity|operations|specialist|archiv)|"
            r"master data|"
            r"data integrat(?:or|ion (?:specialist|analyst|coordinator))"
        ),
        "role-data-governance-specialist",
    ),
    (
        (
            r"\bdata (?:analytics )?(?:team )?(?:manager|lead)$|analytics (?:team )?(?:manager|lead)$|"
            r"data strateg|"
            r"(?:head|director|vp) of (?:data|analytics)|analytics engineering manager|chief data"
        ),
        "role-data-manager",
    ),
    (
        (
            r"data anal|data report|data (?:and|&) (?:reporting|analytics)|analyst.*\bdata\b|"
            r"data product analyst|(?:business|product|insights?|reporting|analytics) analyst|"
            r"analytics (?:specialist|consultant|associate)"
        ),
        "role-data-analyst",
    ),
    (
        (
            rf"\bdata(?:ops)?\b.*{_BUILDS}|{_BUILDS}.*\bdata\b|database engineer|"
            r"\b(?:etl|big data|databricks|spark|hadoop|snowflake)\b"
        ),
        "role-data-engineer",
    ),
    # -- software
    (
        r"engineering manager|(?:director|head|vp) of (?:software )?engineering|software.*director",
        "role-engineering-manager",
    ),
    (
        r"(?:software|solutions?|cloud|technical|enterprise) architect|architect, (?:software|solutions)",
        "role-software-architect",
    ),
    (
        r"devops|site reliability|\bsre\b|platform engineer|\bcloud\b|infrastructure engineer",
        "role-devops-engineer",
    ),
    (r"robotics? (?:\w+ )?engineer", "role-robotics-engineer"),
    (
        (
            r"software|full[- ]?stack|front[- ]?end|back[- ]?end|forward deployed engineer|"
            r"\b(?:java|python|c\+\+|php|javascript|android|ios|embedded|application|web|mobile|game|rpa|"
            r"algorithm) "
            r"(?:\w+ )?(?:engineer|developer|programmer)|^" + _GRADE + r"developer\b"
        ),
        "role-software-engineer",
    ),
)
_COMPILED = tuple((re.compile(pattern), role) for pattern, role in RULES)


@dataclass(frozen=True)
class RoleOf:
    """What a title stands for.

    Attributes:
        role_id: the role, or None.
        excluded: why it is no role of this field, or None.
        is_reviewed: whether a person looked at this very title.
    """

    role_id: str | None
    excluded: str | None
    is_reviewed: bool

    @property
    def state(self) -> str:
        """mapped, excluded or unmapped."""
        return "mapped" if self.role_id else "excluded" if self.excluded else "unmapped"


def normalised(title: str) -> str:
    """A title as the table has it: one case, plain letters for styled ones, single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", title)).strip().lower()


def reviewed_titles(data: Path) -> dict[str, RoleOf]:
    """The reviewed table of a data package.

    Raises:
        ImportRefusedError: it is missing.
    """
    try:
        with (data / TITLES).open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except OSError as error:
        raise ImportRefusedError(f"{data / TITLES} cannot be read ({error.strerror}).") from error
    return {
        row["title"]: RoleOf(row["role_id"] or None, row["excluded_because"] or None, is_reviewed=True)
        for row in rows
    }


def role_by_rule(title: str) -> RoleOf:
    """What a title stands for by the rules alone; the title is normalised."""
    for pattern, found in _COMPILED:
        if pattern.search(title):
            is_role = found not in EXCLUSIONS
            return RoleOf(found if is_role else None, None if is_role else found, is_reviewed=False)
    return RoleOf(None, None, is_reviewed=False)


def role_of(title: str, reviewed: Mapping[str, RoleOf]) -> RoleOf:
    """What a title stands for: as reviewed, else by rule."""
    title = normalised(title)
    return reviewed.get(title) or role_by_rule(title)
