"""Blocks, charts, tables and pages: what any report is made of."""
