"""Surveys: scales, design-based comparisons, and estimates for small areas."""
