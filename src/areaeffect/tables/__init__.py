"""Tables as people bring them: text, workbooks and Parquet, read strictly."""
