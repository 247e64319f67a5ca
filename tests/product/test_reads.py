"""`legoc compile` says what a model reads."""

import pytest

from tests.product.conftest import run


@pytest.mark.parametrize(
    ("stages", "reads"),
    [
        ("content Null -> behavior Additive", "item ids;"),
        ("content CNN -> behavior Additive", "title, category;"),
        ("flatten Transformer", "title, category;"),
        ("content Null -> flatten Transformer", "item ids, title, category;"),
    ],
)
def test_compile_names_what_is_read(stages, reads, tmp_path, capsys):
    path = tmp_path / "reads.lego"
    path.write_text(
        "data d { source = Demo content = [title(9), category] history = 5 }\n"
        f"model m = {stages} -> predict Dot\nrun m on d\n"
    )
    assert run("compile", path) == 0
    assert f"reads     {reads}" in capsys.readouterr().out
