"""One training by several processes, as torchrun starts them: ranks of a world."""
