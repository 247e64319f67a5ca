"""What operators, sources, metrics and records say of themselves, and the catalog of them all."""
