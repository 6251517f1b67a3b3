"""The report: findings as words, charts, maps, one page and files."""
