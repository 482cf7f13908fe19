"""From files of answers and postings to snapshots that a build can use: read, validate, reduce, keep."""
