"""Many questions answered together, held against `generate` of transformers on each alone."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from legoc.generating.answering import Question
from legoc.generating.local import Local, open_local, shared_length
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from legoc.progress import SILENT
from tests.generating.tiny import FAMILIES, make_causal


SYSTEM = "You write titles for a catalogue, one line for each item that is shown to you."
THINGS = (
    "storm over the coast", "late goal", "a recipe for soup and bread and much more of that",
    "the market falls again", "x", "late goal wins the cup",
)  # fmt: skip


def settings(folder: Path, **given: Any) -> Call:
    args = {
        "path": str(folder), "max": 12, "temperature": 0.0, "seed": 1, "dtype": "float32",
        "chat_template": None, "batch": 4,
    }  # fmt: skip
    return Call(op="LM", args={**args, **given})


def messages(thing: str) -> tuple[dict[str, str], ...]:
    return (
        {"role": "system", "content": SYSTEM}, {"role": "user", "content": f"title: {thing}"},
    )  # fmt: skip


def ask(model: Local, things: tuple[str, ...] = THINGS) -> dict[str, tuple[str, int, int, bool]]:
    questions = [Question(subject=thing, messages=messages(thing)) for thing in things]
    return {
        q.subject: (reply.text, reply.tokens.read, reply.tokens.written, reply.cut)
        for q, reply in model.answers(questions)
    }


def alone(folder: Path, text: str, most: int) -> str:
    """What transformers writes behind one text, by itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    made = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False,
        pad_token_id=1,
    )  # fmt: skip
    return tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal(tmp_path_factory.mktemp("models") / "llama")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_together_as_alone(family: str, tmp_path: Path) -> None:
    # Of other seeds Qwen2 says one thing after everything.
    folder = make_causal(tmp_path / family, family, seed=2 if family == "qwen2" else 0)
    found = ask(open_local(settings(folder), SILENT))
    texts = {thing: f"{SYSTEM}\n\ntitle: {thing}\n" for thing in THINGS}
    assert {thing: each[0] for thing, each in found.items()} == {
        thing: alone(folder, text, 12) for thing, text in texts.items()
    }
    assert len({each[0] for each in found.values()}) > 2


def test_the_shared_part_is_read_once(llama: Path) -> None:
    model = open_local(settings(llama, batch=6), SILENT)
    read: list[int] = []
    forward = model.model.forward

    def counted(*args: Any, **given: Any) -> Any:
        read.append(given["input_ids"].numel())
        return forward(*args, **given)

    model.model.forward = counted
    ask(model)
    ids = [model.encode(messages(thing)) for thing in THINGS]
    shared = shared_length(ids)
    assert shared > 20
    longest = max(map(len, ids))
    assert read[:2] == [shared, 6 * (longest - shared)]


def test_the_chat_template_is_used_where_there_is_one(tmp_path: Path) -> None:
    folder = make_causal(tmp_path / "chat", template=True)
    text = f"<|system|>{SYSTEM}\n<|user|>title: late goal\n<|assistant|>"
    assert ask(open_local(settings(folder), SILENT))["late goal"][0] == alone(folder, text, 12)
    plain = open_local(settings(folder, chat_template=False), SILENT)
    assert ask(plain)["late goal"][0] == alone(folder, f"{SYSTEM}\n\ntitle: late goal\n", 12)


def test_tokens_are_counted_and_answers_cut(llama: Path) -> None:
    model = open_local(settings(llama, max=3), SILENT)
    for thing, (_, read, written, cut) in ask(model).items():
        assert read == len(model.encode(messages(thing)))
        assert written <= 3
        assert cut == (written == 3)


def test_a_temperature_draws_the_same_from_the_same_seed(llama: Path) -> None:
    once, again, other = (
        ask(open_local(settings(llama, temperature=1.0, seed=seed, batch=batch), SILENT))
        for seed, batch in ((3, 4), (3, 1), (4, 4))
    )
    # An answer does not hang on those beside it.
    assert once == again
    assert once != other
    assert once != ask(open_local(settings(llama), SILENT))


def test_what_does_not_fit_is_told(llama: Path) -> None:
    model = open_local(settings(llama, max=2000), SILENT)
    assert model.fits(messages("x"))
    assert not model.fits(messages("storm " * 200))


def refused(folder: Path, **given: Any) -> str:
    with pytest.raises(LegoError) as error:
        open_local(settings(folder, **given), SILENT)
    (found,) = error.value.diagnostics
    assert found.code == "E0927"
    return found.message


def test_a_template_that_was_asked_for_must_be_there(llama: Path) -> None:
    assert "has no chat template" in refused(llama, chat_template=True)


def test_a_model_that_only_reads_is_refused(tmp_path: Path, llama: Path) -> None:
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=50, intermediate_size=16, **sizes)).save_pretrained(tmp_path)
    shutil.copy(llama / "tokenizer.json", tmp_path)
    assert "`bert` reads and does not write" in refused(tmp_path)


def test_weights_without_a_head_are_refused(tmp_path: Path, llama: Path) -> None:
    from transformers import AutoModel

    AutoModel.from_pretrained(llama).save_pretrained(tmp_path)
    shutil.copy(llama / "tokenizer.json", tmp_path)
    assert "lack `lm_head.weight`" in refused(tmp_path)
