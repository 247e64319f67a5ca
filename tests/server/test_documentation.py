"""The page about editors: what it shows in Python runs, and it names every feature offered."""

import re

from tests.server.texts import ROOT


def test_the_example_runs(capsys: object) -> None:
    text = (ROOT / "docs/editors.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "docs/editors.md", "exec"), {})
    assert "'hidden', 'kernel'" in capsys.readouterr().out  # type: ignore[attr-defined]
