"""Language models as content: one implementation under all the named operators.

DIRE: Liu et al., Once: Boosting Content-based Recommendation with Both Open- and Closed-source
Large Language Models, WSDM 2024. PLM-NR: Wu et al., Empowering News Recommendation with
Pre-trained Language Models, SIGIR 2021.

Letters: I any number of items, L tokens, W width of the language model, K layers.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from legoc.language.declaring.declare import Excludes, Model, Operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call
from legoc.operators.adapters import LoRA, adapt, merge
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.backbone import Backbone, reached_parameters
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.masking import cleared, last_real, masked_mean
from legoc.operators.blocks.pretrained import open_model
from legoc.operators.side import IISAN
from legoc.operators.sizes import Sizes


Adapter, Side = Operator["adapter"], Operator["side"]

SIGNATURE = "Tokens -> Vec[hidden]"
RULES = (Excludes("side", "lora"), Excludes("side", "split"))

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class Settings:
    """The parameters that every language model has."""

    hidden: int = param(64, min=1, doc="width of an item vector")
    path: Model | None = param(
        None, doc="folder of a model in the form of transformers, or its name on a hub"
    )
    split: int | None = param(
        None,
        doc="blocks below it are frozen, and what they make is computed once per item; negative: "
        "counted from the end, -2 keeps one tuned block; none: nothing is frozen or kept",
    )
    lora: Adapter | None = param(
        None, doc="adapters in the tuned blocks; everything else is frozen then"
    )
    side: Side | None = param(None, doc="a side network on the states of the frozen model")
    pooling: Literal["attention", "cls", "mean", "last"] = param(
        "attention", doc="how the states of an item's tokens become one vector"
    )
    dim: int = param(256, min=1, doc="inner width of the attention pooling")
    dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values after the projection")
    special: bool = param(
        False, doc="begin and end an item with the model's own special tokens, as `cls` always does"
    )
    dtype: Literal["float32", "bfloat16"] = param(
        "float32", doc="number type of the frozen weights and of the computation in the model"
    )
    states: Literal["float32", "float16", "bfloat16"] | None = param(
        None, doc="number type of the kept states; that of `dtype` unless given"
    )
    page: int = param(
        0, min=0, runtime=True,
        doc="items encoded at once in training, the others recomputed in the backward pass; 0: all",
    )  # fmt: skip
    checkpointing: bool = param(
        False, runtime=True, doc="recompute each tuned block in the backward pass instead of "
        "keeping its activations",
    )  # fmt: skip


class LanguageModel(nn.Module):
    """States of a pre-trained model → Linear → attention pooling over the item's tokens.

    It reads token ids in the model's own vocabulary, prompts and attributes in one sequence, and
    owns its embeddings. With `cls`, `mean` or `last` a Linear follows the pooling, and none where
    `hidden` is the model's own width: then nothing is trained beside the model itself. What lies
    below `split` (all of it with `side`) is `frozen`: computed once per item and kept for training.
    """

    Config: Any
    rules = RULES

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        if sizes.model is None:
            raise TypeError("a language model needs to be told which one it is")
        self.named = sizes.model
        self.pooling = config.pooling
        self.page = config.page
        self.dtype = DTYPES[config.dtype]
        self.kept = DTYPES[config.states or config.dtype]
        narrow = self.dtype != torch.float32 and has_frozen(config)
        self.backbone = Backbone(open_model(self.named, self.dtype if narrow else torch.float32))
        # `module.float()` makes this float32 too, and with it the whole computation.
        self.register_buffer("compute", torch.zeros((), dtype=self.dtype), persistent=False)
        self.at = self.first_tuned(config)
        self.freeze(config)
        if config.checkpointing:
            self.backbone.recompute()
        width = self.backbone.made
        self.side = self.build_side(config.side, config.hidden)
        bare = config.pooling != "attention" and config.hidden == width
        needed = self.side is None and not bare
        self.project = PlainLinear(width, config.hidden) if needed else None
        attends = self.side is None and config.pooling == "attention"
        self.attend = AdditiveAttention(config.hidden, config.dim) if attends else None
        self.dropout = nn.Dropout(config.dropout)

    def first_tuned(self, config: Any) -> int | None:
        """The first tuned block, None where nothing is split off. Errors: E0656."""
        if config.split is None and config.side is None and config.lora is None:
            return None
        if self.backbone.place is None:
            raise self.unsplittable(f"it has no single list of {self.backbone.count} blocks")
        if config.split is None:
            return None
        count = self.backbone.count
        at = config.split if config.split >= 0 else count + 1 + config.split
        if not 0 <= at <= count:
            raise self.unsplittable(f"`split={config.split}` lies outside its {count} blocks")
        self.verify_split(at)
        return at

    def verify_split(self, at: int) -> None:
        """That going on from block `at` is the whole model, for this very model."""
        place = next(self.backbone.parameters()).device
        if place.type == "meta":
            return
        ids, mask = torch.ones(1, 3, dtype=torch.int64), torch.ones(1, 3, dtype=torch.bool)
        try:
            with torch.no_grad():
                whole = self.backbone(ids, mask)
                again = self.backbone.suffix(self.backbone.prefix(ids, mask, at), mask, at)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise self.unsplittable(f"its blocks pass on more than states ({error})") from None
        if not torch.allclose(whole, again, rtol=1e-4, atol=1e-4):
            raise self.unsplittable("its blocks pass on more than states")

    def unsplittable(self, why: str) -> Exception:
        return fail(
            "E0656",
            f"the language model `{self.named.shown}` cannot be split here: {why}",
            "leave `split`, `lora` and `side` out, or choose another model",
        )

    def freeze(self, config: Any) -> None:
        """Leave only what is tuned with gradients: everything, the blocks from `split` on and what
        follows them, adapters in those, or nothing below a side network."""
        if config.side is not None:
            self.backbone.requires_grad_(False)
        elif config.lora is not None:
            if self.at == self.backbone.count:
                raise self.unsplittable("`lora` has no tuned block to stand in, `split` is the end")
            adapt(self.backbone, read_call(LoRA, config.lora), self.at or 0)
        elif self.at is not None:
            tuned = self.tuned_parameters(self.at)
            for name, parameter in self.backbone.named_parameters():
                parameter.requires_grad_(name in tuned)
                if name in tuned:
                    parameter.data = parameter.data.float()

    def tuned_parameters(self, at: int) -> set[str]:
        """The names of the weights that the states of block `at` pass through."""
        place = next(self.backbone.parameters()).device
        mask = torch.ones(1, 2, dtype=torch.bool, device=place)
        state = torch.zeros(1, 2, self.backbone.width, device=place)
        return reached_parameters(lambda: self.backbone.suffix(state, mask, at), self.backbone)

    def build_side(self, call: Call | None, hidden: int) -> IISAN | None:
        if call is None:
            return None
        settings = read_call(IISAN, call)
        return IISAN(settings, layers=self.backbone.count, width=self.backbone.width, hidden=hidden)

    @property
    def by_token(self) -> bool:
        """Whether what `frozen` makes has a row per token; else one per layer."""
        return self.side is None

    def forward(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """Token ids int[I, L], Bool[I, L] -> [I, hidden]; zeros for an item without a token."""
        if self.side is not None:
            return self.finish(self.frozen(ids_IL, mask_IL), mask_IL.any(1, keepdim=True))
        return self.paged(self.encode, ids_IL, mask_IL)

    def encode(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        with self.computing(ids_IL.device):
            states_ILW = self.backbone(ids_IL, mask_IL)
        return self.pool(states_ILW.float(), mask_IL)

    def frozen(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """What never changes in training: the input of the first tuned block [I, L, W], or the
        pooled states of layers [I, K, W]. Without dropout and without gradients."""
        training = self.backbone.training
        self.backbone.eval()
        try:
            with torch.no_grad(), self.computing(ids_IL.device):
                if self.side is None:
                    assert self.at is not None
                    return self.backbone.prefix(ids_IL, mask_IL, self.at)
                states = self.backbone.every_state(ids_IL, mask_IL)
                chosen = [states[layer].float() for layer in self.side.layers]
                return torch.stack([masked_mean(each, mask_IL) for each in chosen], 1)
        finally:
            self.backbone.train(training)

    def finish(self, frozen: Tensor, mask: Tensor) -> Tensor:
        """What `frozen` made -> [I, hidden]. mask: Bool[I, L] of the tokens; with a side network
        Bool[I, 1], whether the item has any."""
        if self.side is not None:
            return self.dropout(self.side(frozen.float())).masked_fill(~mask, 0.0)
        return self.paged(self.go_on, frozen, mask)

    def go_on(self, state_ILW: Tensor, mask_IL: Tensor) -> Tensor:
        assert self.at is not None
        with self.computing(state_ILW.device):
            states_ILW = self.backbone.suffix(state_ILW, mask_IL, self.at)
        return self.pool(states_ILW.float(), mask_IL)

    def pool(self, states_ILW: Tensor, mask_IL: Tensor) -> Tensor:
        """Last states [I, L, W] -> [I, hidden]."""
        if self.attend is not None and self.project is not None:
            x_ILD = self.dropout(self.project(cleared(states_ILW, mask_IL)))
            return self.attend(x_ILD, mask_IL)
        x_ID = pool_states(self.pooling, states_ILW, mask_IL)
        if self.project is not None:
            x_ID = self.dropout(self.project(x_ID))
        return x_ID.masked_fill(~mask_IL.any(1, keepdim=True), 0.0)

    def pooled(self, ids_IL: Tensor, mask_IL: Tensor, how: str) -> Tensor:
        """The model's own vectors [I, W], nothing of ours between: `cls`, `mean` or `last`."""
        with torch.no_grad(), self.computing(ids_IL.device):
            states_ILW = self.backbone(ids_IL, mask_IL)
        return pool_states(how, states_ILW.float(), mask_IL)

    def paged(self, run: Callable[..., Tensor], rows: Tensor, mask_IL: Tensor) -> Tensor:
        """`run` on all rows, in training on `page` of them at a time. Only the vectors of a page
        are kept for the backward pass, which runs it again."""
        if not self.training or not self.page or rows.shape[0] <= self.page:
            return run(rows, mask_IL)
        pages = zip(rows.split(self.page), mask_IL.split(self.page), strict=True)
        made = [checkpoint(run, *each, use_reentrant=False) for each in pages]
        return torch.cat([each for each in made if each is not None])

    def computing(self, device: torch.device) -> AbstractContextManager[Any]:
        """The number type in which the model computes."""
        dtype = self.get_buffer("compute").dtype
        if dtype == torch.float32 or device.type == "meta":
            return nullcontext()
        return torch.autocast(device.type, dtype=dtype)

    def merge_and_unload(self) -> "LanguageModel":
        """In the form that is exported: adapters added into the weights, attention written out for
        models that decode, no page."""
        merge(self.backbone)
        if self.backbone.options:
            self.backbone.attend_plainly()
        return self


def has_frozen(config: Any) -> bool:
    """Whether settings leave weights of the model as they are."""
    return any(given is not None for given in (config.split, config.lora, config.side))


def pool_states(how: str, states_ILW: Tensor, mask_IL: Tensor) -> Tensor:
    """[I, L, W] -> [I, W]: the first state, the mean, or the last real one."""
    if how == "mean":
        return masked_mean(states_ILW, mask_IL)
    if how == "last":
        return last_real(states_ILW, mask_IL)
    return cleared(states_ILW, mask_IL)[:, 0]


def read_call(operator: Any, call: Call) -> Any:
    """The settings of an operator that stands in a parameter."""
    return operator.Config(**call.args)
