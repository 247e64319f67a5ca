"""What a source is made of: the relations it yields, and bad rows counted on the way."""
