"""The values the front end yields, `Spec` and `Plan`: how they are written, compared and hashed."""
