"""Runs put side by side: found again, compared, and written as tables and as a page."""
