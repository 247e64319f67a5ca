"""`legoc compile`: the plan of every point, with its cost."""

from argparse import ArgumentParser, Namespace
from typing import Any

from legoc.commands.flags import Command, prints_json, takes_file
from legoc.commands.points import points, work_through
from legoc.commands.printing import console, count, memory, print_json, show_ports


def compile_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    prints_json(parser)


def run_compile(arguments: Namespace) -> int:
    from legoc.model import compile

    done: list[Any] = []

    def plan(spec: Any) -> None:
        compiled = compile(spec)
        if arguments.json:
            done.append(compiled.to_json())
        else:
            show_compiled(compiled)

    work_through(points(arguments), plan)
    if arguments.json:
        print_json(done)
    return 0


def show_compiled(compiled: Any) -> None:
    """The pipeline with a type on each arrow, then cost, caches and graphs."""
    from dataclasses import asdict

    from legoc.language.ir.notation import write_call
    from legoc.language.ir.spec import encoder_role
    from legoc.model.numbers import training_numbers
    from legoc.training.machine import choose_device

    spec, plan, cost = compiled.spec, compiled.plan, compiled.cost
    out = console()
    out.print(f"{spec.name}", style="bold")
    named = [a.name for a in spec.data.attributes] if plan.reads_tokens else []
    reads = ", ".join([*(["item ids"] if plan.layout == "id" else []), *named])
    out.print(f"  reads     {reads}; the last {spec.data.history} clicks")
    numbers = training_numbers(spec, choose_device(None))
    for stage in plan.stages:
        out.print(f"  {stage.role:<9} {write_call(stage.role, spec.model[stage.role])}")
        frozen = ", frozen prefix" if stage.frozen else ""
        out.print(f"            -> {stage.type:<22} {stage.binding}-bound{frozen}", style="dim")
        if numbers is not None and stage.role == encoder_role(spec.model):
            out.print(f"            trains in {numbers} on this machine", style="dim")
    if plan.context:
        named = ", ".join(write_call("context", call) for call in spec.data.context)
        out.print(f"  context   {named}")
        out.print(f"            -> {f'Context[{plan.context}]':<22} pair-bound", style="dim")
    out.print("\ncost")
    out.print(f"  parameters   {count(cost.parameters)}, trainable {count(cost.trainable)}")
    for part in cost.tables:
        trained = (
            ""
            if part.trainable_per_row == part.per_row
            else f", trainable {part.trainable_per_row}"
        )
        out.print(f"    and {part.per_row:,}{trained} for each row of the table of {part.name}")
    worked = ", ".join(
        f"{count(operations) if operations else 'no product'} {unit}"
        for operations, unit in (
            (cost.item, "an item"),
            (cost.user, "a user"),
            (cost.pair, "a pair"),
        )
    )
    out.print(f"  operations   {worked}   (of matrix products; 2 a multiply-add)")
    out.print("\ncaches")
    for cache in plan.caches:
        size = {"items": cost.item_bytes, "users": cost.user_bytes}.get(cache.name, 0)
        used = "training, evaluation and serving" if cache.training else "evaluation and serving"
        each = f", {memory(size)} each" if size else ""
        if cache.name == "users" and cost.user_tokens is not None:
            each += f" ({cost.user_tokens:,} tokens x {plan.state:,} numbers)"
        out.print(f"  {cache.name:<7} per {cache.per}{each}: {cache.why} ({used})")
    out.print("\ngraphs")
    for graph in plan.graphs:
        out.print(f"  {graph.name}")
        show_ports(out, asdict(graph))
    for note in plan.notes:
        out.print(f"\nnote: {note}")
    out.print()


COMMANDS = {"compile": Command(compile_flags, run_compile)}
