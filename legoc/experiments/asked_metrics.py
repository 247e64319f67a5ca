"""The metrics that somebody asks for by name, found among those that were measured."""

from collections.abc import Sequence

from legoc.evaluation.compute import metric_name
from legoc.experiments.results import Result
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.spec import Call


def full_names(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The names as results have them, each once: `ECE` as in a recipe is `ECE(15)`, as is
    `ECE(bins=15)`. What is not among `known` stays as it is."""
    return list(dict.fromkeys(full_name(name, known) for name in asked))


def full_name(asked: str, known: Sequence[str]) -> str:
    if asked in known:
        return asked
    name, bracket, rest = asked.partition("(")
    declaration = catalog().get("metric", name.strip())
    if declaration is None:
        return asked
    if not bracket and any(parameter.required for parameter in declaration.params):
        return asked
    if bracket:
        given = [part.partition("=")[2] or part for part in rest.rstrip(") ").split(",")]
        written = f"{name.strip()}({', '.join(part.strip() for part in given)})"
    else:
        usual = {parameter.name: parameter.default for parameter in declaration.params}
        written = metric_name(Call(op=declaration.name, args=usual))
    return written if written in known else asked


def unmeasured(metric: str, result: Result, common: Sequence[str]) -> LegoError:
    """E0598 for a metric that a run does not have; `common` are those that could be asked for."""
    kept = list(result.about["figures"])
    near = next((each for each in kept if each.partition("(")[0] == metric), None)
    near = near or nearest(metric, kept)
    hint = f"did you mean `{near}`? " if near else ""
    # The first metric stays the first: it is the monitor, and with another one a model trains anew.
    train = result.spec.train
    own = kept if train is None else [metric_name(call) for call in train.metrics]
    wanted = ", ".join([*own, metric])
    return fail(
        "E0598",
        f"`{metric}` was not measured in `{result.run.folder}`",
        f"{hint}all runs have {', '.join(common) or 'no metric in common'}; or start `legoc train` "
        f"again with `--set 'train.metrics=[{wanted}]'`, which measures without training again",
    )
