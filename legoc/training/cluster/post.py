"""What runs say on their way from Ray's workers to the sweep."""


class Post:
    """An actor: workers put lines into it, the sweep takes them out."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def hear(self, place: int, text: str) -> None:
        """A line of the run of a place."""
        self.lines.append((place, text))

    def take(self) -> list[tuple[int, str]]:
        """All that was heard since the last time, in order."""
        lines, self.lines = self.lines, []
        return lines
