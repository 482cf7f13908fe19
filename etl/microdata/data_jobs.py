"""Job postings of 2023 that state pay: one row a posting, pay the middle of a range.

The posted title counts where it names AI, the harmonised one elsewhere: of thirteen thousand wordings, most
say what the harmonised title says. The country follows the search and not always the job.
"""

from etl.microdata.reader import Layout, Reader

_NAMES_AI = (
    r"\b(ai|artificial intelligence|ml|mlops|machine learning|deep learning|"
    r"llms?|genai|generative|nlp|prompt|computer vision)\b"
)

READER = Reader(
    source="data_jobs",
    title="data job postings",
    address="https://huggingface.co/datasets/lukebarousse/data_jobs",
    layouts=(
        Layout(
            columns=(
                "job_title_short",
                "job_title",
                "job_schedule_type",
                "job_work_from_home",
                "job_posted_date",
                "job_country",
                "salary_rate",
                "salary_year_avg",
            ),
            values={
                "year": "left(job_posted_date, 4)",
                "title": f"CASE WHEN regexp_matches(lower(job_title), '{_NAMES_AI}') "
                "AND length(job_title) <= 200 THEN job_title ELSE job_title_short END",
                "experience": "CASE WHEN regexp_matches(lower(job_title_short || ' ' || job_title), "
                r"'\b(senior|sr|staff|principal)\b') THEN 'SE' ELSE '' END",
                "employment": "CASE WHEN job_schedule_type LIKE 'Full-time%' THEN 'FT' "
                "WHEN job_schedule_type LIKE 'Contractor%' THEN 'CT' "
                "WHEN job_schedule_type LIKE 'Part-time%' THEN 'PT' ELSE '' END",
                "company_country": "job_country",
                "remote": "CASE WHEN lower(job_work_from_home) = 'true' THEN '100' ELSE '' END",
                "pay": "salary_year_avg",
            },
            left_out="CASE WHEN salary_rate = 'hour' THEN 'paid by the hour' "
            "WHEN salary_rate <> 'year' THEN 'paid by ' || salary_rate "
            "WHEN coalesce(salary_year_avg, '') = '' THEN 'no pay stated' END",
        ),
    ),
)
