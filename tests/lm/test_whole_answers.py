"""Pairs that are read whole: by models that read in both directions or write a text of their own,
with the candidate before the clicks, and tokenised as one string."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.data.prepare import prepare
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.exporting.bundle import write_bundle
from legoc.language import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.plan import plan
from legoc.model import compile
from legoc.training.jobs.memory import batch_sizes, estimate
from legoc.training.samplers import build_sampler
from legoc_runtime import RequestError
from legoc_runtime.pair_texts import TOKENS_AT_ONCE, like_lengths
from tests.lm.answering import (
    REQUEST,
    byte_tokenizer,
    pieces,
    prompt_ids,
    save_asked,
    save_causal,
    titles,
    tokenizer_of,
)
from tests.lm.tiny import save_model, stir


MASKED = ("BERT", "RoBERTa", "DistilBERT", "ModernBERT")


@pytest.fixture(scope="session")
def model_of(tmp_path_factory):
    root = tmp_path_factory.mktemp("asked")

    def find(family):
        place = root / family
        if place.is_dir():
            return place
        return (save_asked if family in (*MASKED, "T5") else save_causal)(place, family)

    return find


@pytest.fixture
def asked(tmp_path, tmp_path_factory):
    """The spec of a pipeline on a small log, its data and its model."""

    def make(pipeline, *, train="", history=6):
        path = tmp_path / "asked.lego"
        path.write_text(
            "data small { source = Demo(items=200, users=50, impressions=80)\n"
            f"  content = [title(10)]  history = {history} }}\n"
            f"train zero {{ epochs = 0  metrics = [GAUC]  task = ranking  {train} }}\n"
            f"model asked = {pipeline}\nrun asked on small with zero\n",
            encoding="utf-8",
        )
        checked = check(path)
        assert not checked.errors, [d.message for d in checked.errors]
        (spec,) = checked.specs
        prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
        torch.manual_seed(1)
        return spec, prepared, compile(spec).build(prepared.rows)

    return make


def some(log):
    return range(0, log.rows, max(log.rows // 12, 1))


@pytest.mark.parametrize("family", [*MASKED, "T5"])
def test_scores_are_those_of_the_library(family, model_of, asked):
    """A model that fills masks is asked at one behind the prompt, one that writes for its first
    word."""
    from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    writes = family == "T5"
    folder = model_of(family)
    spec, prepared, model = asked(f'flatten LM("{folder}", prompt=recbench) -> predict YesNo')
    assert (spec.types.user, plan(spec).user) == ("Seq[Tokens]", "texts")
    assert ("writes its answer" if writes else "both directions") in plan(spec).notes[0]
    log = prepared.logs["test"]
    scores = score_log(TorchEngine(model), prepared.inputs, log)
    kind = AutoModelForSeq2SeqLM if writes else AutoModelForMaskedLM
    library = kind.from_pretrained(folder).eval()
    begun = {"decoder_input_ids": torch.zeros(1, 1, dtype=torch.long)} if writes else {}
    tokenizer = tokenizer_of(folder)
    yes, no, mask = (tokenizer.token_to_id(word) for word in ("YES", "NO", "[MASK]"))
    assert np.ptp(scores) > 1e-2
    for row in some(log):
        *clicks, candidate = titles(prepared, log, row)
        ids = [*prompt_ids(tokenizer, clicks, candidate), *([] if writes else [mask])]
        with torch.no_grad():
            z = library(torch.tensor([ids]), **begun).logits[0, -1]
        assert abs(float(z[yes] - z[no]) - scores[row]) < 1e-5


def test_the_candidate_may_come_first(model_of, asked):
    from transformers import AutoModelForCausalLM

    folder = model_of("Llama")
    prompt = 'template("Is {candidate} good after\\n{clicks}? ")'
    spec, prepared, model = asked(f'flatten LM("{folder}", prompt={prompt}) -> predict YesNo')
    assert "before the clicks" in plan(spec).notes[0]
    log = prepared.logs["test"]
    scores = score_log(TorchEngine(model), prepared.inputs, log)
    library = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = tokenizer_of(folder)
    yes, no = tokenizer.token_to_id("YES"), tokenizer.token_to_id("NO")
    for row in some(log):
        *clicks, candidate = titles(prepared, log, row)
        texts = [("Is ", None), (candidate, 10), (" good after\n", None)]
        for number, text in enumerate(clicks, 1):
            texts += [(f"({number}) ", None), (text, 10), ("\n", None)]
        ids = pieces(tokenizer, *texts, ("? ", None))
        with torch.no_grad():
            z = library(torch.tensor([ids])).logits[0, -1]
        assert abs(float(z[yes] - z[no]) - scores[row]) < 1e-5


def whole_text(tokenizer, clicks, candidate):
    """RecBench's prompt as one string, of titles cut to their first ten tokens."""

    def cut(text):
        return tokenizer.decode(pieces(tokenizer, (text, 10)), skip_special_tokens=False)

    listed = "".join(f"({number}) {cut(text)}\n" for number, text in enumerate(clicks, 1))
    return (
        f"{REQUEST}User behavior sequence: \n{listed}Candidate item: {cut(candidate)}"
        "\nAnswer (Yes/No): "
    )


@pytest.mark.parametrize("family", ["GPT2", "BERT"])
def test_a_text_may_be_tokenised_whole(family, model_of, asked):
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    folder = model_of(family)
    _, prepared, model = asked(
        f'flatten LM("{folder}", prompt=recbench(tokenise=whole)) -> predict YesNo'
    )
    log = prepared.logs["test"]
    scores = score_log(TorchEngine(model), prepared.inputs, log)
    kind = AutoModelForMaskedLM if family == "BERT" else AutoModelForCausalLM
    library = kind.from_pretrained(folder).eval()
    tokenizer = tokenizer_of(folder)
    yes, no = tokenizer.token_to_id("YES"), tokenizer.token_to_id("NO")
    joined = 0
    for row in some(log):
        *clicks, candidate = titles(prepared, log, row)
        text = whole_text(tokenizer, clicks, candidate)
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        joined += ids != prompt_ids(tokenizer, clicks, candidate)
        with torch.no_grad():
            z = library(torch.tensor([ids])).logits[0, -1]
        assert abs(float(z[yes] - z[no]) - scores[row]) < 1e-5
    # The tokenizer joins letters across pieces, or the test would say nothing.
    assert joined


def test_a_whole_text_that_is_too_long_drops_its_oldest_clicks(model_of, asked):
    folder = model_of("GPT2")
    limit = 150
    _, prepared, model = asked(
        f'flatten LM("{folder}", prompt=recbench(tokenise=whole), limit={limit}) -> predict YesNo'
    )
    whole, tokenizer = model.prompt.whole, tokenizer_of(folder)
    log = prepared.logs["test"]
    read = []
    score = model.score_whole

    def watching(ids, mask, *rest):
        read.extend(
            tokenizer.decode(row[real].tolist()) for row, real in zip(ids, mask, strict=True)
        )
        return score(ids, mask, *rest)

    model.score_whole = watching
    score_log(TorchEngine(model), prepared.inputs, log)
    expected = set()
    for row in range(log.rows):
        *clicks, candidate = titles(prepared, log, row)
        for left in range(len(clicks) + 1):
            text = whole_text(tokenizer, clicks[left:], candidate)
            if len(whole.encode([text])[0]) <= limit:
                break
        expected.add(text)
    assert set(read) == expected
    assert any("(6)" not in text for text in read)


def test_a_whole_text_that_never_fits_is_refused(model_of, asked):
    """Before any data is read where not even the words around a click fit; else by what it says."""
    pipeline = (
        f'flatten LM("{model_of("GPT2")}", prompt=recbench(tokenise=whole), limit=LIMIT) '
        "-> predict YesNo"
    )
    with pytest.raises(LegoError) as caught:
        asked(pipeline.replace("LIMIT", "60"))
    (found,) = caught.value.diagnostics
    assert found.code == "E0636"
    least = found.help[0].partition("limit=")[2].partition("`")[0]
    _, prepared, model = asked(pipeline.replace("LIMIT", least))
    with pytest.raises(RequestError, match=f"limit is {least}"):
        score_log(TorchEngine(model), prepared.inputs, prepared.logs["test"])


PIPELINES = {
    "masked": ("BERT", "prompt=recbench, lora=2"),
    "written": ("T5", "prompt=recbench, split=1"),
    "first": ("GPT2", 'prompt=template("Is {candidate} good after\\n{clicks}? ")'),
    "whole": ("Llama", "prompt=recbench(tokenise=whole), lora=2"),
}


@pytest.fixture(scope="module", params=PIPELINES)
def exported(request, model_of, tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    family, settings = PIPELINES[request.param]
    path = root / "asked.lego"
    path.write_text(
        "data small { source = Demo(items=200, users=50, impressions=80)\n"
        "  content = [title(10)]  history = 6  context = [popularity(hours=24)] }\n"
        "train zero { epochs = 0  metrics = [GAUC]  task = ranking }\n"
        f'model asked = flatten LM("{model_of(family)}", {settings}) -> predict YesNo\n'
        "run asked on small with zero\n",
        encoding="utf-8",
    )
    (spec,) = check(path).specs
    prepared = prepare(spec, cache=tmp_path_factory.getbasetemp() / "cache")
    torch.manual_seed(1)
    compiled = compile(spec)
    model = compiled.build(prepared.rows)
    stir(model)
    return spec, prepared, model, write_bundle(model, spec, compiled.plan, prepared, root / "b")


def test_the_bundle_scores_as_torch_does(exported):
    _, prepared, model, bundle = exported
    assert set(bundle.certificate["graphs"]) == {"predictor"}
    assert bundle.certificate["difference"] < 1e-5
    log = prepared.logs["test"]
    ours = score_log(TorchEngine(model), prepared.inputs, log)
    engines = (
        legoc_runtime.Engine(bundle.path, stored=True, ids=prepared.items.ids),
        legoc_runtime.Engine(bundle.path),
    )
    for engine in engines:
        np.testing.assert_allclose(score_log(engine, prepared.inputs, log), ours, atol=1e-5)
    weights = [path for path in (bundle.path / "onnx").glob("*") if path.is_file()]
    assert not any(b"lora_A" in path.read_bytes() for path in weights)


def test_new_items_are_read_from_raw_text(exported):
    _, prepared, _, bundle = exported
    served = legoc_runtime.load(bundle.path)
    assert served.self_test().difference < 1e-5
    known = prepared.items.ids[1:5]
    user = served.encode_user(known[:3])
    (record,) = prepared.item_records([4])
    served.items.add([{"id": "copy", "title": record["title"]}])
    assert served.score(user, ["copy"]) == pytest.approx(served.score(user, [known[3]]), abs=1e-6)
    names, _ = served.recommend(user, k=5, exclude=known)
    assert len(names) == 5
    assert not {*known} & {*names}
    nobody = served.encode_user([])
    assert np.isfinite(served.score(nobody, known)).all()


def test_training_reads_what_evaluation_scores(exported):
    spec, prepared, model, _ = exported
    batch = build_sampler(spec, prepared).batch(1, 0)
    model.eval()
    with torch.no_grad():
        trained = model(batch).scores.numpy()
    items = np.concatenate([[0], batch.items])
    engine = TorchEngine(model)
    encoded = engine.encode_items(prepared.inputs)
    users = engine.encode_users(encoded, [items[batch.clicks]], [batch.users])
    owner = np.repeat(np.arange(len(batch.clicks)), batch.candidates.shape[1])
    context = batch.context.reshape(len(owner), -1)
    found = engine.score(users, encoded, owner, items[batch.candidates].reshape(-1), context)
    np.testing.assert_allclose(found, trained.reshape(-1), atol=1e-5)


def test_what_trains_is_what_the_settings_say(exported):
    spec, _, model, _ = exported
    settings = spec.model["flatten"].args
    named = {name: p.requires_grad for name, p in model.named_parameters()}
    around = [trains for name, trains in named.items() if name.startswith("flatten.asked")]
    frozen = settings["lora"] is not None or settings["split"] is not None
    assert not (frozen and any(around))
    assert named["predict.answers.weight"] != frozen
    assert any(trains for name, trains in named.items() if name.startswith("flatten.backbone"))
    # No weight is there under two names but the embedding that encoder and decoder of T5 share.
    places = Counter(p.data_ptr() for p in model.state_dict().values() if p.numel())
    assert sum(times - 1 for times in places.values()) == (spec.model["flatten"].args["split"] == 1)


def test_memory_is_told_before_the_start(exported):
    spec, prepared, _, _ = exported
    need = estimate(spec, prepared, batch_sizes(spec, prepared))
    longer = estimate(spec, prepared, (8, 50, 100))
    assert 0 < need.batch < longer.batch


@pytest.mark.parametrize(
    "pipeline",
    [
        'flatten LM("FOLDER", prompt=recbench) -> predict YesNo',
        'flatten LM("FOLDER", prompt=recbench, hidden=16) -> predict Cosine',
    ],
)
def test_memory_of_a_history_that_is_read_once_too(pipeline, model_of, asked):
    spec, prepared, _ = asked(pipeline.replace("FOLDER", str(model_of("GPT2"))))
    assert estimate(spec, prepared, (16, 5, 60)).batch > 0


def test_a_pair_costs_its_whole_text(model_of, asked):
    spec, _, _ = asked(f'flatten LM("{model_of("BERT")}", prompt=recbench) -> predict YesNo')
    longer, _, _ = asked(
        f'flatten LM("{model_of("BERT")}", prompt=recbench) -> predict YesNo', history=12
    )
    cost, more = compile(spec).cost, compile(longer).cost
    assert cost.item == cost.user == cost.user_bytes == 0
    assert more.pair > 1.2 * cost.pair > 0


def test_a_model_without_a_head_or_a_mask_is_refused(tmp_path, asked):
    folder = save_model(tmp_path / "bert", "BERT", words=420)
    byte_tokenizer(folder)
    pipeline = f'flatten LM("{folder}", prompt=recbench) -> predict YesNo'
    with pytest.raises(LegoError) as caught:
        asked(pipeline)
    assert caught.value.diagnostics[0].code == "E0652"
    assert "mask" in caught.value.diagnostics[0].message
    whole = shutil.copytree(save_asked(tmp_path / "whole", "BERT"), tmp_path / "named")
    (folder / "tokenizer.json").write_bytes((whole / "tokenizer.json").read_bytes())
    with pytest.raises(LegoError) as caught:
        asked(pipeline)
    assert caught.value.diagnostics[0].code == "E0655"


def test_a_mask_of_another_name_is_found(tmp_path, asked):
    folder = save_asked(tmp_path / "bert", "BERT")
    text = (folder / "tokenizer.json").read_text("utf-8").replace("[MASK]", "<blank>")
    (folder / "tokenizer.json").write_text(text, "utf-8")
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"mask_token": {"content": "<blank>", "lstrip": True}}), "utf-8"
    )
    _, _, model = asked(f'flatten LM("{folder}", prompt=recbench) -> predict YesNo')
    assert model.prompt.closing == (tokenizer_of(folder).token_to_id("<blank>"),)


def test_texts_of_like_length_are_read_together():
    lengths = np.array([9, 1, 2000, 0, 9, 1999] * 40)
    seen = []
    for chosen, width in like_lengths(lengths):
        assert width == max(lengths[chosen].max(), 1)
        assert len(chosen) == 1 or len(chosen) * width <= TOKENS_AT_ONCE
        seen.extend(chosen)
    assert sorted(seen) == list(range(len(lengths)))


def test_the_language_knows_what_reads_in_both_directions():
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    from legoc.language.ir.asking_forms import BOTH_WAYS

    assert set(MODEL_FOR_MASKED_LM_MAPPING_NAMES) >= BOTH_WAYS
    alone = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) - set(MODEL_FOR_MASKED_LM_MAPPING_NAMES)
    assert not BOTH_WAYS & alone
