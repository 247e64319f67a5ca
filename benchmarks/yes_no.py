"""A language model asked about candidates: a history read once, against the whole prompt per pair.

Llamas with random weights and a tokenizer of bytes, histories of 20 clicks, titles of up to 16
tokens; no model is fetched. Both ways give the same scores, which is checked.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ratio import show, take_turns
from legoc.data import prepare
from legoc.data.indexing.log import F32, Log
from legoc.data.prepare import Prepared
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language import load
from legoc.model import compile
from legoc.model.recommender import Recommender
from legoc_runtime.prompting import to_the_left


TEXT = """
data demo {{ source = Demo(items=500, users=100, impressions=100) content = [title(16)] history = 20 }}
train zero {{ epochs = 0  metrics = [GAUC]  task = ranking }}
model ask = flatten LM("{model}", prompt=recbench) -> predict YesNo
run ask on demo with zero
"""  # noqa: E501
SIZES = {
    "tiny, 4 blocks of 64": {"hidden_size": 64, "num_hidden_layers": 4, "intermediate_size": 192},
    "small, 6 blocks of 256": {
        "hidden_size": 256, "num_hidden_layers": 6, "intermediate_size": 768,
    },
}  # fmt: skip
USERS, CANDIDATES, TOGETHER = 4, (5, 20, 50), 32
WORDS = 300
CLOSE = 1e-5


def run() -> None:
    """Print the ratios, by candidates per user and size, and what memory holds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in SIZES.items():
            place = write_model(Path(folder) / name.partition(",")[0], shape)
            prepared, model = open_model(place, Path(folder))
            for candidates in CANDIDATES if "tiny" in name else (20,):
                compare(name, prepared, model, candidates)
            if "tiny" in name:
                show_memory(prepared, model)


def compare(name: str, prepared: Prepared, model: Recommender, candidates: int) -> None:
    """The rates of both ways on the same pairs."""
    log = make_log(prepared, candidates)
    engine = TorchEngine(model)
    once, whole = score_log(engine, prepared.inputs, log), read_whole(model, prepared, log)
    apart = float(np.abs(once - whole).max())
    if apart > CLOSE * max(1.0, float(np.abs(whole).max())):
        raise AssertionError(f"the two ways differ by {apart:.1e}")
    timed = take_turns(
        {
            "the whole prompt per pair": (log.rows, lambda: read_whole(model, prepared, log)),
            "the history once": (log.rows, lambda: score_log(engine, prepared.inputs, log)),
        },
        "pairs", turns=3,
    )  # fmt: skip
    show(f"{name}; 20 clicks, {candidates} candidates per user", timed, "the whole prompt per pair")


def show_memory(prepared: Prepared, model: Recommender) -> None:
    """The most numbers of histories that are held at once, by the setting `memory`."""
    log = make_log(prepared, 5, users=64)
    flatten: Any = model.flatten
    print("\nstates of histories held at once, 64 users")
    for mebibytes in (256, 8, 2):
        flatten.floats = mebibytes * (1 << 20) // 4
        with watched(model) as held:
            score_log(TorchEngine(model), prepared.inputs, log)
        print(f"  memory={mebibytes:<4} {max(held) * 4 / (1 << 20):>6.1f} MiB in {len(held)} parts")


@contextmanager
def watched(model: Recommender) -> Iterator[list[int]]:
    """How many numbers each reading of histories makes."""
    held: list[int] = []
    read = model.encode_users

    def counting(*given: Any) -> torch.Tensor:
        made = read(*given)
        held.append(made.numel())
        return made

    model.encode_users = counting  # type: ignore[method-assign]
    try:
        yield held
    finally:
        del model.encode_users  # type: ignore[attr-defined]


def read_whole(model: Recommender, prepared: Prepared, log: Log) -> F32:
    """[P]: each pair as one text, as a loop over prompts reads them, batches of like length."""
    prompt: Any = model.prompt
    flatten: Any = model.flatten
    scores = np.empty(log.rows, dtype=np.float32)
    for start in range(0, log.rows, TOGETHER):
        rows = np.arange(start, min(start + TOGETHER, log.rows))
        begun, begun_mask = prompt.users(prepared.inputs, log.padded(log.history[rows]))
        given = prepared.inputs.rows(log.item[rows])
        ended, ended_mask = prompt.candidates(given["tokens"], given["tokens_mask"])
        ids, mask = to_the_left(
            np.concatenate([begun, ended], axis=1),
            np.concatenate([begun_mask, ended_mask], axis=1),
        )
        with torch.no_grad():
            real = torch.from_numpy(mask)
            states = flatten.whole(torch.from_numpy(ids).long(), real)
            scores[rows] = model.predict(states, real).numpy()
    return scores


def make_log(prepared: Prepared, candidates: int, users: int = USERS) -> Log:
    """Users of 20 clicks with so many candidates each."""
    random = np.random.default_rng(0)
    items = len(prepared.items)
    rows = users * candidates
    return replace(
        prepared.logs["test"],
        clicks=random.integers(1, items, 20 * users).astype(np.int32),
        starts=(20 * np.arange(users + 1)).astype(np.int64),
        user=np.zeros(users, dtype=np.int32),
        history=np.repeat(np.arange(users, dtype=np.int32), candidates),
        item=random.integers(1, items, rows).astype(np.int32),
        label=np.zeros(rows, dtype=np.float32),
        group=np.repeat(np.arange(users, dtype=np.int32), candidates),
    )


def open_model(place: Path, folder: Path) -> tuple[Prepared, Recommender]:
    """The data and the model over it."""
    path = folder / "ask.lego"
    path.write_text(TEXT.format(model=place.as_posix()), encoding="utf-8")
    (spec,) = load(path)
    prepared = prepare(spec, cache=folder / "cache")
    return prepared, compile(spec).build(prepared.rows).eval()


def write_model(folder: Path, shape: dict[str, int]) -> Path:
    """A Llama with random weights, and a tokenizer whose words are bytes and the two answers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: place for place, letter in enumerate(["<pad>", *alphabet, "YES", "NO"])}
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    config = LlamaConfig(
        vocab_size=WORDS, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=4096, **shape,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


if __name__ == "__main__":
    run()
