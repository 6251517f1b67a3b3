"""The smallest effect a study could see, before it looks."""
