"""Pay in the Stack Overflow Developer Survey: one row a respondent; the year stands in the name of the file.

The survey is under the Open Database License: what is derived from its rows stays in the reader's own home.
"""

from etl.microdata.reader import Layout, Reader, one_of

_PLACES = {
    "Remote": "100",
    "Hybrid (some remote, some in-person)": "50",
    "Hybrid (some in-person, leans heavy to flexibility)": "50",
    "Hybrid (some remote, leans heavy to in-person)": "50",
    "Hybrid": "50",
    "In-person": "0",
    "In person": "0",
}
_EMPLOYMENT = (
    "CASE WHEN {0} LIKE 'Employed, full-time%' OR {0} = 'Employed' THEN 'FT' "
    "WHEN {0} LIKE 'Employed, part-time%' THEN 'PT' "
    "WHEN {0} LIKE 'Independent contractor%' THEN 'FL' ELSE '' END"
)
_COUNTRY = (
    "CASE WHEN {0} IN ('Nomadic', 'Other', 'Other Country (Not Listed Above)', 'NA') THEN '' ELSE {0} END"
)
_NO_PAY = "CASE WHEN coalesce(nullif({0}, 'NA'), '') = '' THEN 'no pay stated' END"

READER = Reader(
    source="stackoverflow",
    title="the Stack Overflow Developer Survey",
    address="https://github.com/StackExchange/Survey/tree/main/packages/archive",
    year_from_name=True,
    layouts=(
        Layout(
            columns=("DevType", "Country", "Employment", "RemoteWork", "ConvertedCompYearly"),
            values={
                "title": "DevType",
                "employment": _EMPLOYMENT.format("Employment"),
                "residence": _COUNTRY.format("Country"),
                "remote": one_of("RemoteWork", _PLACES),
                "pay": "ConvertedCompYearly",
            },
            left_out=_NO_PAY.format("ConvertedCompYearly"),
        ),
        Layout(
            columns=("DevType", "Country", "Employment", "ConvertedCompYearly"),
            values={
                "title": "DevType",
                "employment": _EMPLOYMENT.format("Employment"),
                "residence": _COUNTRY.format("Country"),
                "pay": "ConvertedCompYearly",
            },
            left_out=_NO_PAY.format("ConvertedCompYearly"),
        ),
        # A copy of 2024 whose author grouped the roles and removed the highest pay.
        Layout(
            columns=("devtype_grouped", "Country_Normalized", "RemoteWork", "ConvertedCompYearly"),
            values={
                "title": "devtype_grouped",
                "residence": _COUNTRY.format("Country_Normalized"),
                "remote": one_of("RemoteWork", _PLACES),
                "pay": "ConvertedCompYearly",
            },
            left_out=_NO_PAY.format("ConvertedCompYearly"),
        ),
        # 2019 asked for several roles at once; the extracts leave that question out.
        Layout(
            columns=("MainBranch", "Country", "ConvertedComp"),
            values={"residence": _COUNTRY.format("Country"), "pay": "ConvertedComp"},
            left_out=_NO_PAY.format("ConvertedComp"),
        ),
        Layout(
            columns=("DevType", "RemoteWork", "Salary"),
            values={
                "title": "DevType",
                "employment": _EMPLOYMENT.format("Employment"),
                "residence": "'USA'",
                "remote": one_of("RemoteWork", _PLACES),
                "pay": "Salary",
            },
            left_out=_NO_PAY.format("Salary"),
        ),
    ),
)
