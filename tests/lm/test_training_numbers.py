"""How a language model computes while it trains on a CPU: bfloat16 where the machine has it, and
dropout and attention in forms of ours; and that nothing else is touched."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from legoc.operators.blocks import library_forms as forms
from legoc.operators.blocks import number_type
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.dropout import drop
from legoc.operators.blocks.number_type import NumberType, training_type
from tests.lm.tiny import make_model


CPU = torch.device("cpu")


def function_modes():
    return torch.overrides._get_current_function_mode_stack()


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).requires_grad_()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("length", [3, 16, 20])
@pytest.mark.parametrize("kind", ["none", "bool", "float", "causal"])
def test_attention_is_that_of_torch(kind, length, shared, monkeypatch):
    monkeypatch.setattr(forms, "drop", lambda x, share: x)
    query, heads = drawn(5, 4, length, 8), 2 if shared else 4
    key, value = drawn(5, heads, length, 8, seed=1), drawn(5, heads, length, 8, seed=2)
    lengths = torch.tensor([1, length, max(length // 2, 1), length, 2])
    allowed = (torch.arange(length) < lengths.unsqueeze(1))[:, None, None, :]
    mask = {
        "none": None,
        "bool": allowed,
        "float": torch.zeros(5, 1, 1, length).masked_fill(~allowed, torch.finfo().min),
        "causal": allowed & torch.ones(length, length, dtype=torch.bool).tril(),
    }[kind]
    made = forms.attention(query, key, value, mask, 0.1, enable_gqa=shared)
    expected = functional.scaled_dot_product_attention(query, key, value, mask, enable_gqa=shared)
    assert made is not None
    leaves = (query, key, value)
    ours = torch.autograd.grad(made.square().sum(), leaves)
    theirs = torch.autograd.grad(expected.square().sum(), leaves)
    for one, other in zip((made, *ours), (expected, *theirs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_query_that_sees_nothing_is_left_to_torch():
    query, key, value = (drawn(1, 1, 2, 4, seed=seed) for seed in range(3))
    nothing = torch.tensor([[[[True, False], [False, False]]]])
    assert forms.attention(query, key, value, nothing, 0.5) is None
    assert forms.attention(query, key, value, None, 0.0) is None
    assert forms.attention(query, key, value, None, 0.5, is_causal=True) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_its_share_in_either_type(dtype):
    x = torch.full((200, 300), 2.0, dtype=dtype, requires_grad=True)
    torch.manual_seed(4)
    with forms.library_forms(True, CPU):
        made = nn.Dropout(0.3).train()(x)
    kept = made != 0
    assert made.dtype == dtype
    assert abs(float(kept.float().mean()) - 0.7) < 0.01
    scaled = (torch.tensor(2.0) / 0.7).to(dtype)
    torch.testing.assert_close(made[kept].unique(), scaled.unsqueeze(0), rtol=1e-2, atol=0)
    # Rows are dropped apart, and the gradient passes where the value did.
    assert len({tuple(row.tolist()) for row in kept[:50]}) == 50
    made.float().sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad != 0, kept)


def test_the_same_seed_drops_the_same_and_another_does_not():
    x = torch.ones(40, 40, requires_grad=True)

    def made(seed):
        torch.manual_seed(seed)
        with forms.library_forms(True, CPU):
            return functional.dropout(x, 0.5, True)

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))


def test_shares_of_nothing_and_everything_are_torchs():
    x = torch.ones(3, 3, requires_grad=True)
    assert drop(x, 0.0) is None
    assert drop(x, 1.0) is None
    with forms.library_forms(True, CPU):
        assert torch.equal(functional.dropout(x, 0.0, True), x)
        assert not functional.dropout(x, 1.0, True).any()
        assert torch.equal(functional.dropout(x, 0.5, False), x)


def test_nothing_stands_outside_a_training_or_after_a_failure():
    with forms.library_forms(False, CPU), torch.enable_grad():
        assert not function_modes()
    with torch.no_grad(), forms.library_forms(True, CPU):
        assert not function_modes()
    seen = []

    def fail():
        with NumberType(None).train().computing(CPU):
            seen.extend(function_modes())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert seen
    assert not function_modes()
    assert not torch.is_autocast_enabled("cpu")


SHARES = {
    "BERT": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3},
    "Llama": {"attention_dropout": 0.3},
    "OPT": {"dropout": 0.3, "attention_dropout": 0.3},
    "T5": {"dropout_rate": 0.3},
}


def opened(family):
    """A model with dropout; of T5 the part that reads."""
    model = make_model(family, **SHARES[family])
    return Backbone(model.get_encoder() if family == "T5" else model).train()


@pytest.mark.parametrize("family", SHARES)
def test_blocks_that_are_computed_again_draw_the_same_masks(family):
    def gradients(again):
        backbone = opened(family)
        if again:
            backbone.recompute()
        ids = torch.arange(54).view(6, 9) % 50 + 4
        torch.manual_seed(3)
        with forms.library_forms(True, CPU):
            made = backbone(ids, torch.ones(6, 9, dtype=torch.bool))
        made.square().mean().backward()
        return {name: p.grad for name, p in backbone.named_parameters() if p.grad is not None}

    kept, again = gradients(False), gradients(True)
    assert kept
    assert kept.keys() == again.keys()
    for name, gradient in kept.items():
        torch.testing.assert_close(again[name], gradient, rtol=1e-5, atol=1e-6)


def test_the_machine_decides_and_a_setting_overrules(monkeypatch):
    for there, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(number_type, "multiplies_bfloat16", lambda there=there: there)
        assert training_type(CPU) == expected
        assert training_type(torch.device("cuda")) == torch.float32
        weight = torch.ones(4, 4, requires_grad=True)
        for dtype in (None, torch.float32, torch.bfloat16):
            numbers = NumberType(dtype).train()
            with numbers.computing(CPU):
                trained = (weight @ weight).dtype
            assert trained == (expected if dtype is None else dtype)
            with torch.no_grad(), numbers.computing(CPU):
                measured = (weight @ weight).dtype
            assert measured == (dtype or torch.float32)
            with numbers.eval().computing(CPU):
                assert (weight @ weight).dtype == (dtype or torch.float32)


PIPELINE = """
data small {
  source = Demo(items=200, users=50, impressions=80)
  content = [title(12)]
  tokenizer = file("FOLDER/tokenizer.json")
  history = 5
}
train quick { epochs = 2  batch = 8  samples = 64  seed = 3  metrics = [GAUC] }
model asked =
  content LM("FOLDER", hidden=8, split=1, lora=LoRA(r=2, dropout=0.1)DTYPE)
  -> behavior Additive -> predict Dot
run asked on small with quick
"""


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A run of a tiny model with dropout, trained here."""
    from legoc.language import load
    from legoc.training import train
    from tests.lm.answering import save_causal

    folder = save_causal(tmp_path / "model", "OPT", dropout=0.1, attention_dropout=0.1)

    def make(name, *, narrow=True, dtype="", **settings):
        monkeypatch.setattr(number_type, "multiplies_bfloat16", lambda: narrow)
        path = tmp_path / "asked.lego"
        text = PIPELINE.replace("FOLDER", str(folder)).replace("DTYPE", dtype)
        path.write_text(text, encoding="utf-8")
        (spec,) = load(path)
        return train(spec, runs=tmp_path / name, until="train", **settings)

    return make


def losses(run):
    return [entry["loss"] for entry in run.log if entry["event"] == "evaluation"]


def test_a_training_in_bfloat16_is_near_one_in_float32(trained):
    narrow, wide = trained("narrow"), trained("wide", narrow=False)
    assert narrow.environment["numbers"] == "bfloat16"
    assert wide.environment["numbers"] == "float32"
    np.testing.assert_allclose(losses(narrow), losses(wide), rtol=0.02)
    assert losses(narrow) != losses(wide)
    # What is trained and kept is float32 in either.
    from safetensors.torch import load_file

    for run in (narrow, wide):
        kept = load_file(run.folder / "best.safetensors")
        assert {value.dtype for value in kept.values() if value.is_floating_point()} == {
            torch.float32
        }


def test_a_setting_makes_it_the_same_everywhere(trained):
    one = trained("one", dtype=", dtype=float32")
    other = trained("other", narrow=False, dtype=", dtype=float32")
    assert one.environment["numbers"] == other.environment["numbers"] == "float32"
    assert losses(one) == losses(other)


def test_the_same_training_twice_is_the_same_to_the_bit(trained):
    one, other = trained("one"), trained("other")
    weights = [(run.folder / "best.safetensors").read_bytes() for run in (one, other)]
    assert weights[0] == weights[1]


def test_a_training_goes_on_to_the_bit_and_says_where_it_cannot(trained, monkeypatch):
    from legoc.model.recommender import Recommender

    straight = trained("straight")
    forward, seen = Recommender.forward, []

    def breaking(self, batch):
        if self.training:
            seen.append(batch)
        if len(seen) == 11:
            seen.append(None)
            raise KeyboardInterrupt
        return forward(self, batch)

    monkeypatch.setattr(Recommender, "forward", breaking)
    with pytest.raises(KeyboardInterrupt):
        trained("broken")
    again = trained("broken")
    kept = [(run.folder / "best.safetensors").read_bytes() for run in (straight, again)]
    assert kept[0] == kept[1]
    assert losses(straight) == losses(again)
    said = []
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        trained("moved")
    trained("moved", narrow=False, progress=Said(said))
    assert any("numbers bfloat16 -> float32 since the last sitting" in line for line in said)


class Said:
    """What a command says, line by line."""

    def __init__(self, lines):
        self.lines = lines

    def say(self, line):
        self.lines.append(line)

    def __getattr__(self, name):
        from legoc.progress import SILENT

        return getattr(SILENT, name)


@pytest.mark.parametrize(
    ("more", "expected"),
    [(", split=1, lora=2", "bfloat16"), (", split=1", "bfloat16"), (", split=-1", None),
     (", side=IISAN(step=1, proj=4)", None), (", dtype=float32", "float32")],
)  # fmt: skip
def test_what_does_not_train_has_no_numbers_to_train_in(tmp_path, monkeypatch, more, expected):
    from legoc.language import check
    from legoc.model.numbers import training_numbers
    from tests.lm.answering import save_causal

    monkeypatch.setattr(number_type, "multiplies_bfloat16", lambda: True)
    folder = save_causal(tmp_path / "model", "OPT")
    path = tmp_path / "one.lego"
    path.write_text(
        f'content LM("{folder}", hidden=8{more}) -> behavior Additive -> predict Dot', "utf-8"
    )
    checked = check(path)
    assert not checked.errors
    spec = checked.specs[0] if checked.specs else None
    assert spec is not None
    assert training_numbers(spec, CPU) == expected
