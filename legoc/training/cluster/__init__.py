"""Several runs at a time as tasks of Ray, on one machine or on many."""
