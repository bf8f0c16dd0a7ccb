"""The process that measures: claims jobs, asks the judge, hands results in."""
