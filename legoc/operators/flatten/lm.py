"""A language model that reads a whole history as one text.

Letters: B texts, N tokens of them, U beginnings, P endings, T tokens of those, W numbers of a
token's state, D width of the last states.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Model, Operator, operator, param
from legoc.operators.adapters import merge
from legoc.operators.blocks.answering import Head, open_answering
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.number_type import NumberType
from legoc.operators.blocks.prefixing import follow, read_prefix, read_whole, state_at
from legoc.operators.blocks.pretrained import open_model
from legoc.operators.blocks.whole_answers import Answering, open_asked
from legoc.operators.content.endings import end_with
from legoc.operators.content.freezing import freeze
from legoc.operators.content.keeping import keep
from legoc.operators.content.model_settings import DTYPE, DTYPES
from legoc.operators.sizes import Sizes


Adapter, Prompt = Operator["adapter"], Operator["prompt"]


@operator(
    "flatten", "LM", "Seq[Tokens] -> Vec[hidden]", layout="sequence", pretrained=True,
    primary="path", facts={"prefix": True, "own_width": "hidden"},
    paper="Liu et al., Can LLMs Outshine Conventional Recommenders? A Comparative Evaluation, "
    "NeurIPS 2025",
)  # fmt: skip
class LM(nn.Module):
    """A language model that reads the clicks of a user as one text, by its folder or its name on a
    hub.

    Before `predict YesNo` it makes a Prefix: the keys and values of the clicks in all its blocks,
    computed once per history, after which each candidate is read alone; the scores are exactly
    those of the whole prompt read at once. Where it cannot go on from what it has read (a model
    that reads in both directions, such as BERT, or writes a text of its own, such as T5; a
    candidate before the clicks; one string that is tokenised) it hands the texts on, and each pair
    is read whole. Before a predictor of vectors it makes the vector of the clicks, and that of an
    item from the item's own text. `split` freezes the blocks below it; nothing is kept of them,
    since a history is no item.
    """

    class Config:
        path: Model = param(doc="folder of the model, or its name on a hub")
        prompt: Prompt = param(doc="the words around clicks and candidate")
        hidden: int | None = param(
            None, min=1, doc="width of a vector; the model's own, with nothing between, unless "
            "given",
        )  # fmt: skip
        pooling: Literal["last", "mean", "cls"] = param(
            "last", doc="how the states of a text's tokens become one vector"
        )
        limit: int | None = param(
            None, min=1,
            doc="the most tokens of a prompt, up to what the model reads: the newest clicks that "
            "fit are kept, and of an item no more than a fifth of it; RecBench takes 1024 for "
            "Llama and Mistral",
        )  # fmt: skip
        split: int | None = param(
            None, doc="blocks below it are frozen; negative: counted from the end"
        )
        lora: Adapter | None = param(
            None, doc="adapters in the tuned blocks; everything else is frozen then"
        )
        dropout: float = param(0.0, min=0, max=1, doc="share of zeroed values after a projection")
        dtype: Literal["float32", "bfloat16"] | None = DTYPE
        memory: int = param(
            256, min=1, runtime=True,
            doc="MiB for the states of histories that are held at once in evaluation",
        )  # fmt: skip
        checkpointing: bool = param(
            False, runtime=True, doc="recompute each tuned block in the backward pass instead of "
            "keeping its activations",
        )  # fmt: skip

    example = 'flatten LM("models/my-model", prompt=recbench) -> predict YesNo'

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        if sizes.model is None:
            raise TypeError("a language model needs to be told which one it is")
        self.numbers = NumberType(DTYPES[config.dtype] if config.dtype else None)
        frozen = config.split is not None or config.lora is not None
        given = self.numbers.declared if frozen else torch.float32
        self.floats = config.memory * (1 << 20) // 4
        self.state, self.pooling = sizes.state, config.pooling
        self.head: Head | None = None
        self.asked: Answering | None = None
        if sizes.whole:
            model, self.asked, self.head = open_asked(sizes.model, given)
        elif sizes.state:
            model, self.head = open_answering(sizes.model, given, sizes.state)
        else:
            model = open_model(sizes.model, given)
        self.backbone = Backbone(model)
        ending = Ending(config, self.backbone)
        kept = keep(self.backbone, ending, sizes.model)
        freeze(self.backbone, ending, kept, sizes.model)
        if config.checkpointing:
            self.backbone.recompute()
        if self.asked is not None and frozen:
            self.asked.requires_grad_(False)
        answers = self.head is not None
        self.end = None if answers else end_with(ending, self.backbone)
        if self.end is not None:
            for name, part in self.end.parts():
                self.add_module(name, part)

    @property
    def answering(self) -> int:
        """The width of what the vocabulary head reads."""
        return self.backbone.made if self.asked is None else self.asked.width

    def take_head(self) -> Head:
        """The vocabulary head, which is not kept here: what needs rows of it takes them once."""
        head, self.head = self.head, None
        if head is None:
            raise TypeError("the head was taken, or is not read")
        return head

    def forward(self, ids_BN: Tensor, mask_BN: Tensor) -> Tensor:
        """Texts int[B, N], Bool[B, N] -> vectors [B, hidden] of texts padded on the right, or
        before YesNo states [B, N, W] of texts padded anywhere."""
        with self.numbers.computing(ids_BN.device):
            if self.end is None:
                return read_prefix(self.backbone, ids_BN, mask_BN)
            states_BND = self.backbone(ids_BN, mask_BN).float()
        if self.pooling == "mean":
            return self.end(states_BND, mask_BN)
        # One state is left, wherever padding stands.
        chosen_B1D = state_at(states_BND, mask_BN, last=self.pooling == "last")
        return self.end(chosen_B1D, mask_BN.any(1, keepdim=True))

    def follow(
        self, state_UNW: Tensor, mask_UN: Tensor, owner_P: Tensor, ids_PT: Tensor, mask_PT: Tensor
    ) -> Tensor:
        """The last states [P, T, D] of endings int[P, T], Bool[P, T] after the beginnings of their
        owners int[P]."""
        with self.numbers.computing(ids_PT.device):
            made = follow(self.backbone, state_UNW, mask_UN, owner_P, ids_PT, mask_PT)
        return made.float()

    def whole(self, ids_BN: Tensor, mask_BN: Tensor) -> tuple[Tensor, Tensor]:
        """What the vocabulary head reads of whole texts [B, N, D], and where it is, Bool[B, N]."""
        with self.numbers.computing(ids_BN.device):
            if self.asked is None:
                return read_whole(self.backbone, ids_BN, mask_BN).float(), mask_BN
            states, real = self.asked(self.backbone, ids_BN, mask_BN)
            return states.float(), real

    def merge_and_unload(self) -> "LM":
        """In the form that is exported: adapters added into the weights, attention written out."""
        merge(self.backbone)
        if self.backbone.options:
            self.backbone.attend_plainly()
        return self


class Ending:
    """What the parts that language models share ask of settings."""

    side = None

    def __init__(self, config: Any, backbone: Backbone) -> None:
        self.pooling = config.pooling
        self.hidden = backbone.made if config.hidden is None else config.hidden
        self.split, self.lora, self.dropout = config.split, config.lora, config.dropout
