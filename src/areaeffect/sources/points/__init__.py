"""Source kind `points`: dated incidents with coordinates, counted into areas."""
