"""Titles written by random language models on this machine: all questions together against a plain
loop of `model.generate`, one question after the other. Greedy, so both write the same.

Questions as `Summarise(from=[title, abstract])` asks them of Demo, 32 of them, at most 64 tokens
for each answer (the default) in batches of 16 (the default), one thread.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.ratio import show, take_turns
from legoc.generating.answering import Question
from legoc.generating.generate import generate
from legoc.generating.local import Local, open_local, shared_length
from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.language.ir.generation import Generation
from legoc.progress import SILENT


# Hidden size, blocks, heads.
SIZES = {"tiny (2 blocks of 64)": (64, 2, 4), "small (8 blocks of 256)": (256, 8, 8)}
QUESTIONS, BATCH, MOST, WORDS = 32, 16, 64, 2000
SPEC = """
data news {{ source = Demo(items=200, users=60, impressions=200)  content = [title] }}
generate titles {{
  of = news  task = Summarise(from=[title, abstract], to=newtitle)
  model = LM("{folder}", max={most}, batch={batch})
}}
"""


def run() -> None:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    print("\ngeneration: titles written by random language models")
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            make_model(folder / "model", *size)
            made = declare(folder)
            model = open_local(made.model, SILENT)
            questions = ask_once(made, model, folder)
            compare(name, model, questions)


def compare(name: str, model: Local, questions: list[Question]) -> None:
    prompts = [model.encode(question.messages) for question in questions]
    plain = [alone(model, ids) for ids in prompts]
    together = {question.subject: reply.text for question, reply in model.answers(questions)}
    alike = sum(
        together[question.subject] == model.tokenizer.decode(made, skip_special_tokens=True)
        for question, made in zip(questions, plain, strict=True)
    )
    written = sum(map(len, plain))
    lengths = sorted(map(len, prompts))
    print(
        f"\n{name}: prompts of {lengths[0]} to {lengths[-1]} tokens, {shared_length(prompts)} of "
        f"them shared; {alike} of {len(questions)} answers are the same"
    )
    timed = take_turns(
        {
            "model.generate, one by one": (written, lambda: [alone(model, ids) for ids in prompts]),
            "together": (written, lambda: list(model.answers(questions))),
        },
        "tokens",
        turns=3,
    )
    show(f"{name}, tokens written per CPU second", timed, "model.generate, one by one")


def alone(model: Local, ids: list[int]) -> list[int]:
    """What transformers writes behind one prompt, the usual way."""
    with torch.inference_mode():
        given = torch.tensor([ids])
        made = model.model.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=MOST, do_sample=False,
            pad_token_id=1,
        )  # fmt: skip
    return [token for token in made[0, len(ids) :].tolist() if token not in model.ends]


def ask_once(made: Generation, model: Local, folder: Path) -> list[Question]:
    """The first questions of a generation, asked; asked again they are answered from the
    journal."""
    asked: list[Question] = []

    class Counted:
        """The same model, which says what it is asked."""

        def fits(self, messages: Any) -> bool:
            return model.fits(messages)

        def answers(self, questions: Any) -> Any:
            asked.extend(questions)
            return model.answers(questions)

        def close(self) -> None:
            pass

    outcomes = [
        generate(made, cache=folder / "cache", limit=QUESTIONS, model=Counted()) for _ in range(2)
    ]
    first = [question for question in asked if question.attempt == 1]
    print(
        f"\nasked {outcomes[0].asked} times, and {outcomes[1].asked} times when the same command "
        f"ran again ({outcomes[1].kept} kept)"
    )
    return first


def declare(folder: Path) -> Generation:
    text = SPEC.format(folder=folder / "model", most=MOST, batch=BATCH)
    checked = check(Document(str(folder / "spec.lego"), text))
    (made,) = checked.generations
    return made


def make_model(folder: Path, hidden: int, blocks: int, heads: int) -> None:
    """A Llama with random weights and a tokenizer of words of its own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, show_progress=False, special_tokens=["<s>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(texts(), trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=3 * hidden,
        num_hidden_layers=blocks, num_attention_heads=heads, num_key_value_heads=heads,
        max_position_embeddings=2048, bos_token_id=0, eos_token_id=1, initializer_range=0.1,
    )  # fmt: skip
    LlamaForCausalLM(config).eval().save_pretrained(folder)


def texts() -> list[str]:
    """Something to learn pieces of words from: the prompts that ship, and their own code."""
    from legoc.generating import prompts

    return [*(text for pair in prompts.OWN.values() for text in pair), json.dumps(prompts.__doc__)]
