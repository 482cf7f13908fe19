"""US labor condition applications for H-1B visas: one row an application, pay the prevailing wage.

A prevailing wage is what the law sets as the least for an occupation at a place, not what somebody is paid.
"""

from etl.microdata.reader import Layout, Reader

READER = Reader(
    source="lca",
    title="US labor condition applications",
    address="https://www.dol.gov/agencies/eta/foreign-labor/performance",
    layouts=(
        # The official workbooks, with wages by the hour, week, fortnight, month or year.
        Layout(
            columns=("CASE_STATUS", "DECISION_DATE", "SOC_TITLE", "PREVAILING_WAGE", "PW_UNIT_OF_PAY"),
            values={
                "year": "left(DECISION_DATE, 4)",
                "title": "SOC_TITLE",
                "company_country": "'USA'",
                "pay": "replace(PREVAILING_WAGE, ',', '')",
            },
            left_out="CASE WHEN CASE_STATUS NOT LIKE 'Certified%' THEN 'not certified' "
            "WHEN coalesce(PREVAILING_WAGE, '') = '' THEN 'no pay stated' "
            "WHEN lower(PW_UNIT_OF_PAY) <> 'year' THEN 'paid by the ' || lower(PW_UNIT_OF_PAY) END",
        ),
        # An extract of yearly wages.
        Layout(
            columns=("CASE_STATUS", "DECISION_DATE", "SOC_TITLE", "PREVAILING_WAGE"),
            values={
                "year": "left(DECISION_DATE, 4)",
                "title": "SOC_TITLE",
                "company_country": "'USA'",
                "pay": "PREVAILING_WAGE",
            },
            left_out="CASE WHEN CASE_STATUS NOT LIKE 'Certified%' THEN 'not certified' END",
        ),
    ),
)
