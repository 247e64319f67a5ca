"""legoc_runtime."""
