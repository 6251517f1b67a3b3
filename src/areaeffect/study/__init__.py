"""What a study file may say: every key, its default and its meaning."""
