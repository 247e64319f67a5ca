"""The bricks of a pipeline, one file each, and the blocks they share."""
