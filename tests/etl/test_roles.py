"""Titles and roles: the rules on titles never seen, and the reviewed table against them."""

from __future__ import annotations

import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.microdata.roles import (
    ACADEMIC,
    CONTRACT,
    EXCLUSIONS,
    GENERAL,
    OTHER,
    RULES,
    normalised,
    reviewed_titles,
    role_by_rule,
    role_of,
)
from tests.etl.microdata_files import SHIPPED

NEVER_SEEN = {
    "Senior Generative AI Engineer": "role-generative-ai-engineer",
    "GenAI Developer (LLM, RAG)": "role-generative-ai-engineer",
    "Agentic AI Engineer": "role-generative-ai-engineer",
    "LLM Engineer - Inference": "role-llm-engineer",
    "Prompt Engineer II": "role-prompt-engineer",
    "Staff AI Engineer": "role-ai-engineer",
    "AI/ML Engineer": "role-ml-engineer",
    "Sr. Machine Learning Engineer, Ads": "role-ml-engineer",
    "Deep Learning Engineer (CUDA)": "role-ml-engineer",
    "Principal MLOps Engineer": "role-mlops-engineer",
    "NLP Data Scientist": "role-nlp-engineer",
    "Computer Vision Research Engineer": "role-computer-vision-engineer",
    "Machine Learning Research Scientist": "role-ai-researcher",
    "Lead AI Architect": "role-ai-architect",
    "AI Product Manager - Search": "role-ai-product-manager",
    "Head of Artificial Intelligence": "role-ai-lead",
    "Director, Machine Learning": "role-ai-lead",
    "AI Governance Officer": "role-ai-specialist",
    "Lead Data Scientist, Fraud": "role-data-scientist",
    "Data Engineer (AWS)": "role-data-engineer",
    "Azure Databricks Data Engineer": "role-data-engineer",
    "Jr. Data Analyst": "role-data-analyst",
    "Power BI Consultant": "role-bi-specialist",
    "Backend Software Engineer": "role-software-engineer",
    "Cloud Solutions Architect": "role-software-architect",
    "Senior Product Manager": "role-product-manager",
}
NO_ROLE = {
    "Engineer": GENERAL,
    "Senior Manager": GENERAL,
    "Postdoctoral Research Fellow": ACADEMIC,
    "Intern": CONTRACT,
    "Data Center Technician": OTHER,
    "Data Entry Clerk": OTHER,
    "AI Content Writer": OTHER,
    "Technical Recruiter, AI": OTHER,
}


@pytest.mark.parametrize("title", NEVER_SEEN)
def test_a_rule_knows_the_role_of_a_title_never_seen(title: str) -> None:
    assert role_by_rule(normalised(title)).role_id == NEVER_SEEN[title]


@pytest.mark.parametrize("title", NO_ROLE)
def test_a_rule_knows_what_is_no_role(title: str) -> None:
    found = role_by_rule(normalised(title))
    assert (found.role_id, found.excluded) == (None, NO_ROLE[title])


@pytest.mark.parametrize(
    "title", ["Clinical Aide", "Gardener", "Maintenance", "Chaired by", "Email Marketer", ""]
)
def test_what_no_rule_fits_stays_unmapped(title: str) -> None:
    """Above all no `ai` or `ml` inside of other words."""
    assert role_by_rule(normalised(title)).state == "unmapped"


def test_the_reviewed_table_comes_before_the_rules() -> None:
    reviewed = reviewed_titles(SHIPPED)
    assert role_of("  Clinical   AIDE ", reviewed).excluded == OTHER
    assert role_by_rule("principal researcher").excluded == GENERAL
    assert role_of("Principal Researcher", reviewed).role_id == "role-research-scientist"


def test_every_rule_leads_to_a_role_that_is_described() -> None:
    with (SHIPPED / "salaries/roles.csv").open(encoding="utf-8", newline="") as handle:
        roles = {line["role_id"] for line in csv.DictReader(handle)}
    assert {role for _, role in RULES} - set(EXCLUSIONS) == roles


def test_the_reviewed_titles_are_normalised_and_agree_with_the_rules_but_where_a_person_knew_better() -> None:
    reviewed = reviewed_titles(SHIPPED)
    assert all(normalised(title) == title for title in reviewed)
    against = {
        title
        for title, found in reviewed.items()
        if (rule := role_by_rule(title)).role_id and found.role_id and rule.role_id != found.role_id
    }
    assert against == {
        "data operations engineer",
        "data analyst (business, marketing, financial, quantitative, etc)",
        "machine learning/ mlops engineer",
    }


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once(title: str) -> None:
    once = normalised(title)
    assert normalised(once) in {once, normalised(unicodedata.normalize("NFKC", once))}


@given(st.sampled_from(sorted(NEVER_SEEN)), st.sampled_from([str.upper, str.lower, str.title]))
def test_case_and_blanks_do_not_matter(title: str, change: object) -> None:
    assert callable(change)
    assert role_of(f"  {change(title)} ", {}).role_id == NEVER_SEEN[title]
