"""What sources reported, and what they did not."""
