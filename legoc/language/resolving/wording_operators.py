"""What is said about names: operators and parameters that are not there."""

from dataclasses import replace

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import STAGES
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import grade, listing, nearest


ROLE_NAMES = {
    "content": "content operator",
    "behavior": "behavior operator",
    "flatten": "flatten operator",
    "predict": "predictor",
    "source": "source",
    "split": "split",
    "tokenizer": "tokenizer",
    "task": "task",
    "metric": "metric",
    "adapter": "adapter",
    "side": "side network",
    "context": "context number",
    "prompt": "prompt",
    "tolerance": "metric",
    "writing": "generation task",
    "writer": "writing model",
}
# What Legommenders and others call some operators, for those who write from memory.
OLD_NAMES = {
    "Ada": "Additive",
    "CNNCat": "CNN(fuse=concat)",
    "NullConcat": "Null",
    "BertBase": "BERT",
    "BertLarge": "BERT(size=large)",
    "BertBaseIISAN": "BERT(side=IISAN)",
    "BertLargeIISAN": "BERT(size=large, side=IISAN)",
    "Llama1": "Llama(version=1)",
    "Llama2": "Llama(version=2)",
    "Llama3": "Llama(version=3)",
    "Llama1IISAN": "Llama(version=1, side=IISAN)",
    "Llama2IISAN": "Llama(version=2, side=IISAN)",
    "Llama3IISAN": "Llama(version=3, side=IISAN)",
    "OPTBase": "OPT(size=medium)",
    "OPTBaseIISAN": "OPT(size=medium, side=IISAN)",
    "OPTLarge": "OPT(size=large)",
    "OPTLargeIISAN": "OPT(size=large, side=IISAN)",
    "GLM4TH9B": "GLM",
    "GLM4TH9BIISAN": "GLM(side=IISAN)",
    "Bert": "BERT",
    "SelfAttention": "Attention",
    "MultiHeadAttention": "Attention",
    "MHSA": "Attention",
    "AdditiveAttention": "Additive",
    "Mean": "Pooling",
    "Average": "Pooling",
    "MeanPooling": "Pooling",
    "MaxPooling": "Pooling(kind=max)",
    "None": "Null",
    "Identity": "Null",
    "Embedding": "Null",
    "ID": "Null",
    "LSTM": "GRU",
    "RNN": "GRU",
    "MLP": "DNN",
    "InnerProduct": "Dot",
    "DotProduct": "Dot",
    "HR": "HitRatio",
    "Hit": "HitRatio",
    "BCE": "ranking",
    "CrossEntropy": "matching",
    "contrastive": "matching",
    "classification": "ranking",
    "pointwise": "ranking",
}
# The names of language models alone: of those, everyone has another opinion of the capitals.
CASELESS = {
    name.lower(): ours
    for name, ours in OLD_NAMES.items()
    if name.lower().startswith(("bert", "llama", "opt", "glm"))
}


# What parameters are called elsewhere, for those who write them from memory.
USUAL_NAMES = {
    "learning_rate": "lr", "batch_size": "batch", "num_epochs": "epochs", "max_epochs": "epochs",
    "early_stopping": "patience", "grad_clip": "clip", "max_grad_norm": "clip",
    "gradient_accumulation_steps": "accumulate", "loss": "task", "objective": "task",
    "num_heads": "heads", "n_heads": "heads", "nhead": "heads", "num_layers": "layers",
    "n_layers": "layers", "hidden_size": "hidden", "hidden_dim": "hidden", "d_model": "hidden",
    "embedding_dim": "hidden", "dim": "hidden", "size": "hidden", "kernel_size": "kernel",
    "window_size": "kernel", "dropout_rate": "dropout", "p": "dropout", "rank": "r",
    "lora_r": "r", "lora_alpha": "alpha", "lora_dropout": "dropout", "hidden_units": "units",
    "mlp": "units", "dataset": "source", "path": "source", "features": "content",
    "attributes": "content", "columns": "content", "max_history": "history",
    "history_length": "history", "glove": "vectors", "embeddings": "vectors",
    "tune_from": "split", "use_lora": "lora", "adapter": "lora", "peft": "lora",
    "lora_rank": "r", "target_modules": "targets", "item_page_size": "page", "page_size": "page",
    "torch_dtype": "dtype", "model": "path", "model_name": "path", "model_path": "path",
    "checkpoint": "path", "gradient_checkpointing": "checkpointing", "pooler": "pooling",
    "layer_selection_step": "step", "global_proj_size": "proj", "local_proj_size": "proj",
    "additive_hidden_size": "dim",
}  # fmt: skip


# More operators than these are not told one by one: of those who have a parameter, and of a role
# beside the one that is most likely meant.
MOST = 4
LISTED = 16


def article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def is_record(owner: Declaration) -> bool:
    return owner.role == owner.name


def primary(span: Span, text: str) -> Label:
    return Label(span=span, text=text, primary=True)


def rewrite(span: Span, word: str) -> Fix:
    """A safe fix: another spelling of the same thing."""
    return Fix(grade="safe", title=f"write `{word}`", span=span, replacement=word)


def respell(span: Span, name: str, meant: str) -> Fix:
    """The fix for a name that most likely means another."""
    return replace(rewrite(span, meant), grade=grade(name, meant))


def meant_by(name: str, owner: Declaration) -> str | None:
    """The parameter that a name nobody declares most likely means."""
    names = [p.name for p in owner.params]
    usual = USUAL_NAMES.get(name.lower())
    return usual if usual in names else nearest(name, names)


def unknown_parameter(name: str, span: Span, owner: Declaration, catalog: Catalog) -> Diagnostic:
    names = [p.name for p in owner.params]
    meant = meant_by(name, owner)
    record = is_record(owner)
    noun = "field" if record else "parameter"
    known = USUAL_NAMES.get(name.lower()) == meant
    if meant is not None and known:
        help = f"called `{meant}` here; {noun}s: {', '.join(names)}"
    elif meant is not None:
        help = f"did you mean `{meant}`? {noun}s: {', '.join(names)}"
    elif names:
        help = f"{noun}s of {owner.name}: {', '.join(names)}"
    else:
        help = f"{owner.name} has no parameters; write `{owner.name}`"
    return Diagnostic(
        code="E0302",
        message=f"`{owner.name}` has no {noun} `{name}`",
        labels=(primary(span, f"unknown {noun}"),),
        notes=() if meant is not None else elsewhere(name, owner, catalog),
        help=(help,),
        fix=None if meant is None or known else respell(span, name, meant),
    )


def elsewhere(name: str, owner: Declaration, catalog: Catalog) -> tuple[str, ...]:
    """Who else has this parameter, first in the same role."""
    having = [d for d in catalog if d.param(name) is not None and d is not owner]
    same = [d.name for d in having if d.role == owner.role]
    found = same or [f"{d.role} {d.name}" for d in having if d.role in STAGES]
    if not found:
        return ()
    if len(found) > MOST:
        shown = f"{', '.join(f'`{each}`' for each in found[:MOST])} and {len(found) - MOST} others"
        if same and all(d.pretrained for d in having if d.role == owner.role):
            shown = f"language models: {shown}"
    else:
        shown = listing(found, quote="`")
    return (f"`{name}` is a parameter of {shown}",)


def unknown_operator(role: str, name: str, span: Span, catalog: Catalog) -> Diagnostic:
    names = [d.name for d in catalog.role(role)]
    others = [d.role for d in catalog if d.name == name and d.role != role]
    meant = None if others else nearest(name, names)
    known = f"{ROLE_NAMES[role]}s: {', '.join(names)}"
    brief = f"`legoc operators {role}` lists all {len(names)}" if len(names) > LISTED else known
    notes: tuple[str, ...] = ()
    if others:
        kinds = listing([article(ROLE_NAMES[other]) for other in others])
        notes = (f"`{name}` is {kinds}, not {article(ROLE_NAMES[role])}",)
    old = OLD_NAMES.get(name) or CASELESS.get(name.lower())
    if old is not None and old.partition("(")[0] in names:
        help, meant = f"called `{old}` here; {brief}", None
    elif meant is not None:
        help = f"did you mean `{meant}`? {brief}"
    else:
        help = known
    place = Span(span.document, span.start, min(span.end, span.start + len(name)))
    return Diagnostic(
        code="E0206",
        message=f"no {ROLE_NAMES[role]} is called `{name}`",
        labels=(primary(place, f"not {article(ROLE_NAMES[role])}"),),
        notes=notes,
        help=(help,),
        fix=None if meant is None else respell(place, name, meant),
    )
