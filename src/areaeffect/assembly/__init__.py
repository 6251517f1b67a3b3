"""Everything a study names, brought onto one panel."""
