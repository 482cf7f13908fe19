-- stage: mart
-- severity: blocking
-- The cells of a source hold every record that its import took, and no posting more than there are records.
SELECT import.source, import.accepted, sum(cell.reports) AS reports, sum(cell.postings) AS postings
FROM pay_import AS import
JOIN pay_cell AS cell ON cell.source = import.source
GROUP BY import.source, import.accepted
HAVING sum(cell.reports) <> import.accepted OR sum(cell.postings) > import.accepted
    OR sum(cell.paired_reports) > sum(cell.reports)
