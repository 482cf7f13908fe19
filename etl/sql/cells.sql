-- From pay records to cells: groups of records with equal coordinates and the same pay in thousands of US dollars.
--
-- Reads:
--   answer(file_no, row_no, combination_id, pay_usd): the sound records, numbered in the order of their file;
--   combination(combination_id, year, role_id, ...): the coordinates, one row for each that occurs;
--   source_rule(has_ranges): one row; whether two records may be the two ends of one posted range.
--
-- Two countings of the same records:
--   reports   every record counts once, with the pay that it states;
--   postings  two neighbours in the file that differ only in pay, the higher first, are the ends of one range and
--             become one posting at its middle; postings alike in everything, both ends included, count once.
--             Where a source has no ranges, a record is a person and every record is a posting of its own.
-- A run of falling pay is cut into pairs from its start: 300, 250, 200 is the range 250-300 and the single 200.
--
-- A pay is rounded to the nearest thousand, so no quantile moves by more than 500 dollars.
-- Plain SQL, which other engines can be given too. Grain: one set of coordinates and thousand dollars.
WITH followed AS (
    SELECT
        answer.file_no,
        answer.row_no,
        answer.combination_id,
        answer.pay_usd,
        lag(answer.pay_usd) OVER in_file AS pay_before,
        CASE
            WHEN source_rule.has_ranges
                AND lag(answer.combination_id) OVER in_file = answer.combination_id
                AND lag(answer.row_no) OVER in_file = answer.row_no - 1
                AND lag(answer.pay_usd) OVER in_file > answer.pay_usd
                THEN 0
            ELSE 1
        END AS starts_run
    FROM answer
    CROSS JOIN source_rule
    WINDOW in_file AS (PARTITION BY answer.file_no ORDER BY answer.row_no)
),

placed AS (
    SELECT
        combination_id,
        pay_usd,
        pay_before,
        row_no - max(CASE WHEN starts_run = 1 THEN row_no END) OVER (
            PARTITION BY file_no ORDER BY row_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS place_in_run,
        lead(starts_run, 1, 1) OVER (PARTITION BY file_no ORDER BY row_no) AS next_starts_run
    FROM followed
),

range_end AS (
    SELECT
        combination_id,
        pay_usd,
        CASE WHEN place_in_run % 2 = 1 THEN pay_before ELSE pay_usd END AS upper_usd,
        CASE
            WHEN place_in_run % 2 = 1 THEN 'lower'
            WHEN next_starts_run = 0 THEN 'upper'
            ELSE 'single'
        END AS part
    FROM placed
),

end_count AS (
    SELECT combination_id, pay_usd, upper_usd, part, count(*) AS records
    FROM range_end
    GROUP BY combination_id, pay_usd, upper_usd, part
),

counted AS (
    SELECT
        combination_id,
        CAST(floor(pay_usd / 1000.0 + 0.5) AS INTEGER) AS salary_k,
        records AS reports,
        CASE WHEN part = 'single' THEN 0 ELSE records END AS paired_reports,
        0 AS postings
    FROM end_count
    UNION ALL
    SELECT
        end_count.combination_id,
        CAST(floor((end_count.pay_usd + end_count.upper_usd) / 2000.0 + 0.5) AS INTEGER) AS salary_k,
        0 AS reports,
        0 AS paired_reports,
        CASE WHEN source_rule.has_ranges THEN 1 ELSE end_count.records END AS postings
    FROM end_count
    CROSS JOIN source_rule
    WHERE end_count.part <> 'upper'
),

by_combination AS (
    SELECT
        combination_id,
        salary_k,
        sum(reports) AS reports,
        sum(paired_reports) AS paired_reports,
        sum(postings) AS postings
    FROM counted
    GROUP BY combination_id, salary_k
)

SELECT
    combination.year,
    combination.role_id,
    combination.title,
    combination.experience,
    combination.employment,
    combination.residence,
    combination.company_country,
    combination.remote,
    combination.company_size,
    by_combination.salary_k,
    CAST(sum(by_combination.reports) AS BIGINT) AS reports,
    CAST(sum(by_combination.paired_reports) AS BIGINT) AS paired_reports,
    CAST(sum(by_combination.postings) AS BIGINT) AS postings
FROM by_combination
JOIN combination ON combination.combination_id = by_combination.combination_id
GROUP BY
    combination.year,
    combination.role_id,
    combination.title,
    combination.experience,
    combination.employment,
    combination.residence,
    combination.company_country,
    combination.remote,
    combination.company_size,
    by_combination.salary_k
ORDER BY
    combination.year,
    combination.role_id,
    combination.title,
    combination.experience,
    combination.employment,
    combination.residence,
    combination.company_country,
    combination.remote,
    combination.company_size,
    by_combination.salary_k
