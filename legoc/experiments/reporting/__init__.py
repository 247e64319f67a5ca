"""The page of runs: its material gathered, drawn and written as one HTML file."""
