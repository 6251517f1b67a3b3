"""What publishers offer: releases, how to get them, and how to read them as they come."""
