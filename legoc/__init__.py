"""legoc."""
