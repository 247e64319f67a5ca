"""Long work such as frozen states, in plain lines."""

import io

from legoc.commands.console import Lines


def test_the_last_line_is_said_once(monkeypatch):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("legoc.commands.console.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    with Lines(stream, pause=30.0).task("frozen states", 6, "items") as task:
        for _ in range(3):
            task.advance(2)
    said = [line.split(",")[0] for line in stream.getvalue().splitlines()]
    assert said == ["frozen states: 4/6 items", "frozen states: 6/6 items"]
