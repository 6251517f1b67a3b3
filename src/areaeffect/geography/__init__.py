"""Where areas lie: outlines, neighbours, distances."""
