"""Compiling, training, exporting and evaluating as a caller sees them."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
# pyright: reportMissingTypeStubs=false

from pathlib import Path
from typing import assert_type

import legoc
from legoc.evaluation.report import Report
from legoc.exporting.bundle import Bundle
from legoc.language.ir.plan import Graph, Plan
from legoc.language.ir.spec import Export, Spec
from legoc.model.compile import Compiled
from legoc.model.cost import Cost
from legoc.model.run import Run


def compiles(spec: Spec) -> None:
    compiled = legoc.compile(spec)
    assert_type(compiled, Compiled)
    assert_type(compiled.plan, Plan)
    assert_type(compiled.plan.graphs, tuple[Graph, ...])
    assert_type(compiled.cost, Cost)
    legoc.compile("m.lego")  # pyright: ignore[reportArgumentType]


def trains(spec: Spec) -> None:
    run = legoc.train(spec, runs=Path("runs"), until="export")
    assert_type(run, Run)
    legoc.train(spec, until="exported")  # pyright: ignore[reportArgumentType]
    legoc.train(spec, epochs=3)  # pyright: ignore[reportCallIssue]
    bundle = legoc.export(run, settings=Export(precision="fp16"))
    assert_type(bundle, Bundle)
    Export(precision="fp8")  # pyright: ignore[reportArgumentType]
    Export(20)  # pyright: ignore[reportCallIssue]
    report = legoc.evaluate(bundle, cached=False)
    assert_type(report, Report)
    assert_type(report["GAUC"], float)
