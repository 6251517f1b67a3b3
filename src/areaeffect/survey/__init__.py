"""Surveys: scales, and design-based comparisons of groups."""
