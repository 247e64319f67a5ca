"""A history read once and each candidate after it, against the library's own reading of whole
prompts."""

import numpy as np
import pytest
import torch

from legoc.data.indexing.rows import Rows
from legoc.data.prepare import prepare
from legoc.data.reading.inputs import TokenTable
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.plan import plan
from legoc.model import compile
from legoc_runtime.histories import TokenRows
from legoc_runtime.prompting import Prompt, as_rows, from_rows
from tests.lm.answering import CAUSAL, prompt_ids, save_causal, titles, tokenizer_of
from tests.lm.tiny import stir


# A window that ends within the prompt, so that a misplaced token would show.
SHAPES = {"Mistral": {"sliding_window": 90}}


@pytest.fixture(scope="session")
def causal(tmp_path_factory):
    root = tmp_path_factory.mktemp("causal")

    def find(family):
        place = root / family
        return place if place.is_dir() else save_causal(place, family, **SHAPES.get(family, {}))

    return find


@pytest.fixture
def asked(tmp_path):
    """The spec of a pipeline on a small log."""

    def make(pipeline, *, content="[title(10)]", history=6, train=""):
        path = tmp_path / "asked.lego"
        path.write_text(
            f"data small {{ source = Demo(items=200, users=50, impressions=80)\n"
            f"  content = {content}  history = {history} }}\n"
            f"train zero {{ epochs = 0  metrics = [GAUC]  task = ranking\n {train} }}\n"
            f"model asked = {pipeline}\nrun asked on small with zero\n",
            encoding="utf-8",
        )
        checked = check(path)
        assert not checked.errors, [d.message for d in checked.errors]
        (spec,) = checked.specs
        return spec

    return make


@pytest.mark.parametrize("family", CAUSAL)
def test_scores_are_those_of_the_whole_prompt(family, causal, asked, tmp_path_factory):
    from transformers import AutoModelForCausalLM

    folder = causal(family)
    spec = asked(f'flatten LM("{folder}", prompt=recbench) -> predict YesNo')
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    model = compile(spec).build(prepared.rows)
    log = prepared.logs["test"]
    scores = score_log(TorchEngine(model), prepared.inputs, log)
    library = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = tokenizer_of(folder)
    yes, no = tokenizer.token_to_id("YES"), tokenizer.token_to_id("NO")
    assert np.ptp(scores) > 1e-3
    for row in range(0, log.rows, max(log.rows // 12, 1)):
        *clicks, candidate = titles(prepared, log, row)
        ids = prompt_ids(tokenizer, clicks, candidate)
        with torch.no_grad():
            z = library(torch.tensor([ids])).logits[0, -1]
        assert abs(float(z[yes] - z[no]) - scores[row]) < 1e-5


def test_several_spellings_count_together(causal, asked, tmp_path_factory):
    from transformers import AutoModelForCausalLM

    folder = causal("Llama")
    words = 'yes=["YES", " Yes"], no=["NO", " No"]'
    spec = asked(f'flatten LM("{folder}", prompt=recbench) -> predict YesNo({words})')
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    log = prepared.logs["test"]
    model = compile(spec).build(prepared.rows)
    score = score_log(TorchEngine(model), prepared.inputs, log)[0]
    tokenizer = tokenizer_of(folder)
    *clicks, candidate = titles(prepared, log, 0)
    library = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        z = library(torch.tensor([prompt_ids(tokenizer, clicks, candidate)])).logits[0, -1]
    yes = [tokenizer.encode(word, add_special_tokens=False).ids for word in ("YES", " Yes")]
    no = [tokenizer.encode(word, add_special_tokens=False).ids for word in ("NO", " No")]
    assert {len(ids) for ids in (*yes, *no)} == {1}
    odds = sum(np.exp(float(z[i])) for (i,) in yes) / sum(np.exp(float(z[i])) for (i,) in no)
    assert abs(np.log(odds) - score) < 1e-5


@pytest.fixture
def small(causal, asked, tmp_path_factory):
    """A spec, its data, and a model whose adapters do something."""
    lora = "lora=LoRA(r=2, dropout=0)"
    spec = asked(f'flatten LM("{causal("Llama")}", prompt=recbench, {lora}) -> predict YesNo')
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    torch.manual_seed(1)
    model = compile(spec).build(prepared.rows)
    stir(model)
    return spec, prepared, model


def test_training_reads_what_evaluation_scores(small):
    from legoc.training.samplers import build_sampler

    spec, prepared, model = small
    batch = build_sampler(spec, prepared).batch(1, 0)
    model.eval()
    with torch.no_grad():
        trained = model(batch).scores.numpy()
    items = np.concatenate([[0], batch.items])
    clicks = items[batch.clicks]
    engine = TorchEngine(model)
    encoded = engine.encode_items(prepared.inputs)
    users = engine.encode_users(encoded, [clicks], [batch.users])
    owner = np.repeat(np.arange(len(clicks)), batch.candidates.shape[1])
    found = engine.score(users, encoded, owner, items[batch.candidates].reshape(-1))
    np.testing.assert_allclose(found, trained.reshape(-1), atol=1e-5)


def test_each_history_is_read_once_and_memory_is_bounded(small):
    _, prepared, model = small
    log = prepared.logs["test"]
    read, held = [], []
    encode = model.encode_users

    def counting(ids, mask, *rest):
        read.extend(tuple(row[real].tolist()) for row, real in zip(ids, mask, strict=True))
        made = encode(ids, mask, *rest)
        held.append(made.numel())
        return made

    model.encode_users = counting
    generous = score_log(TorchEngine(model), prepared.inputs, log)
    assert len(read) == len(set(read))
    engine = TorchEngine(model)
    longest = max(map(len, read))
    model.flatten.floats = 3 * longest * model.flatten.state
    held.clear()
    read.clear()
    bounded = score_log(engine, prepared.inputs, log)
    assert len(read) == len(set(read))
    assert max(held) <= model.flatten.floats
    np.testing.assert_allclose(bounded, generous, atol=1e-6)


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_padding_changes_no_score(side, small):
    _, _, model = small
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(4, 60, (2, 9), generator=generator)
    tail = torch.randint(4, 60, (3, 5), generator=generator)
    owner = torch.tensor([1, 0, 1])
    model.eval()

    def score(before, behind):
        wide, mask = padded(ids, before, behind)
        ended, ended_mask = padded(tail, 0, behind)
        with torch.no_grad():
            states = model.encode_users(wide, mask)
            return model.score(states, ended, owner, mask, None, ended_mask)

    shape = {"left": (4, 0), "right": (0, 3), "both": (2, 5)}[side]
    torch.testing.assert_close(score(*shape), score(0, 0), atol=1e-6, rtol=0)


def padded(ids, before, behind):
    wide = torch.nn.functional.pad(ids, (before, behind), value=7)
    mask = torch.zeros(wide.shape, dtype=torch.bool)
    mask[:, before : before + ids.shape[1]] = True
    return wide, mask


def test_the_plan_follows_from_the_types(causal, asked):
    spec = asked(f'flatten LM("{causal("Qwen")}", prompt=recbench) -> predict YesNo')
    made = plan(spec)
    assert [stage.binding for stage in made.stages] == ["user", "pair"]
    assert [stage.type for stage in made.stages] == ["Prefix", "Score"]
    users, items = made.graph("predictor").inputs[0], made.graph("predictor").inputs[2]
    # 3 blocks, keys and values, 2 heads of 4.
    assert users.dims == ("user", "tokens", 3 * 2 * 2 * 4)
    assert (items.name, items.dtype, items.dims) == ("items", "int64", ("pair", "ending"))
    assert made.item_encoder is None


def brute_users(prompt, tokens, clicks):
    """A user's part, click by click: the newest that fit, numbered from the oldest kept."""
    kept = [click for click in clicks if click]
    while True:
        found = list(prompt.before)
        for number, click in enumerate(kept):
            found += [*prompt.numbers[number], *tokens[click][: prompt.each], *prompt.between]
        if len(found) <= prompt.limit - prompt.tail or not kept:
            return found
        kept = kept[1:]


def test_a_prompt_is_laid_out_as_it_is_described():
    random = np.random.default_rng(0)
    tokens = [[], *(random.integers(50, 99, random.integers(0, 6)).tolist() for _ in range(20))]
    ids = np.zeros((21, 6), dtype=np.int32)
    for row, each in enumerate(tokens):
        ids[row, : len(each)] = each
    rows = TokenRows(tokens=ids, lengths=np.array([len(each) for each in tokens], np.int32))
    prompt = Prompt(
        before=(1, 2, 3), numbers=((11,), (12,), (13,), (14,), (15, 9), (16, 9), (17, 9), (18, 9)),
        between=(5,), candidate=(6,), after=(7, 8), each=4, limit=40, joined=True,
    )  # fmt: skip
    clicks = np.zeros((40, 8), dtype=np.int32)
    for row in clicks:
        count = random.integers(0, 9)
        row[:count] = random.integers(1, 21, count)
    made, mask = prompt.users(rows, clicks)
    dropped = 0
    for row in range(40):
        expected = brute_users(prompt, tokens, clicks[row])
        assert made[row][mask[row]].tolist() == expected
        assert mask[row, mask.shape[1] - len(expected) :].all()
        dropped += expected.count(5) < (clicks[row] > 0).sum()
    assert dropped
    given = rows.rows(np.arange(21, dtype=np.int32))
    ended, ended_mask = prompt.candidates(given["tokens"], given["tokens_mask"])
    for row in range(21):
        assert ended[row][ended_mask[row]].tolist() == [6, *tokens[row][:4], 7, 8]
    again, again_mask = from_rows(as_rows(ended, ended_mask, prompt.tail))
    assert (again == ended).all()
    assert (again_mask == ended_mask).all()


def test_several_attributes_are_read_with_their_names(causal, asked, tmp_path_factory):
    content = "[title(10), subcategory]"
    pipeline = f'flatten LM("{causal("Llama")}", prompt=recbench) -> predict YesNo'
    spec = asked(pipeline, content=content)
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    assert isinstance(prepared.inputs, TokenTable)
    (record,) = prepared.item_records([1])
    given = prepared.inputs.rows(np.array([1], dtype=np.int32))
    tokenizer = tokenizer_of(causal("Llama"))
    text = tokenizer.decode(given["tokens"][0][given["tokens_mask"][0]].tolist())
    assert text.startswith("title: ")
    assert text.endswith(f", subcategory: {record['subcategory']}")


BAD = {
    "E0636": ('limit=20', "YesNo"),
    "E0637 unknown": ("", 'YesNo(yes=["certainly so"], no=["NO"])'),
    "E0638": ("prompt=recbench(chat_template=true)", "YesNo"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_message(case, causal, asked):
    given, predict = BAD[case]
    given = given if "prompt" in given else ", ".join(filter(None, ["prompt=recbench", given]))
    spec = asked(f'flatten LM("{causal("Llama")}", {given}) -> predict {predict}')
    with pytest.raises(LegoError) as caught:
        compile(spec).build(Rows(items=2, users=2, tokens=9))
    (found,) = caught.value.diagnostics
    assert found.code == case.partition(" ")[0]
    assert found.help
    if found.code == "E0637":
        assert "tokens, 'c" in found.message


def test_a_chat_template_frames_the_prompt(causal, asked, tmp_path, tmp_path_factory):
    import json
    import shutil

    folder = shutil.copytree(causal("Llama"), tmp_path / "chat")
    template = (
        "<s>USER: {{ messages[0]['content'] }}</s>{% if add_generation_prompt %}BOT: {% endif %}"
    )
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template})
    )
    words = "prompt=recbench(chat_template=true)"
    spec = asked(f'flatten LM("{folder}", {words}) -> predict YesNo')
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    prompt = Prompt.of(prepared.reading["prompt"])
    tokenizer = tokenizer_of(folder)
    assert prompt.before[0] == tokenizer.token_to_id("<s>")
    assert tokenizer.decode(list(prompt.before)).startswith("USER: You are a recommender.")
    assert tokenizer.decode(list(prompt.after)).endswith("(Yes/No): BOT: ")
    assert tokenizer.token_to_id("</s>") in prompt.after
