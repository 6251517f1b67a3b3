"""One file a command, each reading from top to bottom as its flow."""
