"""Long measurements, run by hand; their tables are committed with command and commit."""
