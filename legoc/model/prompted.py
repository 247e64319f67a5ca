"""Models whose clicks are read by a language model as one text, prompt and all."""

from pathlib import Path
from typing import Any

from torch import nn

from legoc.data.reading.language_model import read_asked
from legoc.data.reading.prompts import is_joined
from legoc.language.ir.checkpoints import Named
from legoc.language.ir.plan import Plan
from legoc.language.ir.spec import Call, Spec
from legoc.operators.sizes import Sizes
from legoc_runtime.prompting import Prompt


def read_prompt(spec: Spec, call: Call, named: Named) -> tuple[Prompt, tuple[int, ...]]:
    """The prompt of a spec, and the ids of the answer words where it asks for an answer; of a model
    that is not on this machine stand-ins, which its shape does not depend on."""
    predict = spec.model["predict"]
    asked = is_joined(spec)
    words = (*predict.args["yes"], *predict.args["no"]) if asked else ()
    if named.folder is None:
        return stand_in(spec), tuple(range(len(words)))
    prompt, answers, tokenizer = read_asked(spec, call, named, Path(named.folder))
    return Prompt.of(prompt, tokenizer), answers


def stand_in(spec: Spec) -> Prompt:
    """A prompt of about the length that most tokenizers make of one."""
    each = sum(attribute.length for attribute in spec.data.attributes) or 1
    history = spec.data.history
    room = 40 + history * (each + 6) + each + 12
    return Prompt(
        before=(0,) * 40, numbers=((0,) * 4,) * history, between=(0,), candidate=(0,) * 4,
        after=(0,) * 8, each=each, limit=room, joined=is_joined(spec),
    )  # fmt: skip


def create_stages(
    spec: Spec, plan: Plan, call: Call, named: Named, create: Any
) -> tuple[nn.Module, nn.Module, Prompt]:
    """The flatten stage, the predictor with its answer words filled in, and the prompt. create: as
    in `legoc.model.build`."""
    prompt, answers = read_prompt(spec, call, named)
    whole = plan.user == "texts"
    sizes = Sizes(
        width=plan.width, model=named, state=plan.state, whole=whole, clicks=spec.data.history
    )
    flatten: Any = create("flatten", call, sizes)
    if not is_joined(spec):
        width = Sizes(width=plan.width, item=plan.width, clicks=spec.data.history)
        return flatten, create("predict", spec.model["predict"], width), prompt
    predict = create("predict", spec.model["predict"], Sizes(width=flatten.answering))
    frozen = any(call.args[name] is not None for name in ("split", "lora"))
    predict.fill(flatten.take_head(), answers, frozen=frozen)
    return flatten, predict, prompt
