"""Salaries of ai-jobs.net: one row a report or one end of a posted range; frozen since August 2025."""

from etl.microdata.reader import Layout, Reader

READER = Reader(
    source="aijobs",
    title="ai-jobs.net salaries",
    address="https://raw.githubusercontent.com/foorilla/ai-jobs-net-salaries/main/salaries.csv",
    has_ranges=True,
    layouts=(
        Layout(
            columns=(
                "work_year",
                "experience_level",
                "employment_type",
                "job_title",
                "salary_currency",
                "salary_in_usd",
                "employee_residence",
                "remote_ratio",
                "company_location",
                "company_size",
            ),
            values={
                "year": "work_year",
                "title": "job_title",
                "experience": "experience_level",
                "employment": "employment_type",
                "residence": "employee_residence",
                "company_country": "company_location",
                "remote": "remote_ratio",
                "company_size": "company_size",
                "currency": "salary_currency",
                "pay": "salary_in_usd",
            },
        ),
    ),
)
