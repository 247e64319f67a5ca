"""From trees to points: names, files, copies, overrides, axes and what `--only` selects."""
