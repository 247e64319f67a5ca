"""Predict operators: a user and a candidate become a logit."""
