"""The page of what operators learn: a row for each, its share, a reason where that is low."""

import re
from pathlib import Path

import pytest

from benchmarks.quality import RECIPES, WORLD, pipelines
from legoc.language import load
from legoc.language.declaring.catalog import catalog
from legoc.language.ir.counted import stands_alone


PAGE = (Path(__file__).resolve().parents[2] / "docs/operators_quality.md").read_text("utf-8")
ROW = re.compile(
    r"^\| (predict|behavior) (\w+) \| \w+ \| ([\d.]+) \| \d+ \| ([\d.]+) \| (\w*) \|$", re.MULTILINE
)


@pytest.mark.parametrize("role", ["predict", "behavior"])
def test_every_operator_has_its_row_and_a_low_one_its_reason(role):
    rows = {name: rest for kind, name, *rest in ROW.findall(PAGE) if kind == role}
    # What goes on from a language model learns nothing without one.
    own = [d for d in catalog().role(role) if not stands_alone(d) and "Prefix" not in d.signature]
    assert set(rows) == {d.name for d in own}
    lift = max(float(gauc) for gauc, _, _ in rows.values()) - 0.5
    (popularity,) = re.findall(r"counting clicks (0\.\d+)", PAGE)
    for name, (gauc, share, why) in rows.items():
        assert abs(float(share) - (float(gauc) - 0.5) / lift) < 0.006, name
        assert float(gauc) > float(popularity), name
        assert (float(share) < 0.9) == bool(why), name
        assert not why or f"- **{why}**: " in PAGE


def test_what_the_command_trains_can_be_trained(tmp_path):
    path = tmp_path / "all.lego"
    lines = [
        f"model m{number} = {pipeline}\nrun m{number} on small with {declaration.tasks[0]}\n"
        if declaration.role == "predict"
        else f"model m{number} = {pipeline}\nrun m{number} on small with any\n"
        for number, (declaration, pipeline) in enumerate(pipelines())
    ]
    recipes = "".join(f"train {task} {{ {fields} }}\n" for task, fields in RECIPES.items())
    path.write_text(f"data small {{ source = {WORLD} }}\n{recipes}train any {{}}\n{''.join(lines)}")
    assert len(load(path)) == len(lines)
