"""Further questions of a study, each with its section of the report: one file a question."""
