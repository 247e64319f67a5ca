"""Language models as content: one implementation under all the named operators.

DIRE: Liu et al., Once: Boosting Content-based Recommendation with Both Open- and Closed-source
Large Language Models, WSDM 2024. PLM-NR: Wu et al., Empowering News Recommendation with
Pre-trained Language Models, SIGIR 2021.

Letters: I any number of items, L tokens, W width of the language model, K layers.
"""

from typing import Any

import torch
from torch import Tensor, nn

from legoc.operators.adapters import merge
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.number_type import NumberType
from legoc.operators.blocks.paging import paged
from legoc.operators.blocks.pretrained import open_model
from legoc.operators.content.endings import end_with, pool_states
from legoc.operators.content.freezing import freeze
from legoc.operators.content.keeping import keep
from legoc.operators.content.model_settings import DTYPES, RULES, has_frozen
from legoc.operators.sizes import Sizes


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
        self.page = config.page
        self.numbers = NumberType(DTYPES[config.dtype] if config.dtype else None)
        self.stored = DTYPES[config.states] if config.states else self.numbers.declared
        given = self.numbers.declared if has_frozen(config) else torch.float32
        self.backbone = Backbone(open_model(sizes.model, given))
        self.kept = keep(self.backbone, config, sizes.model)
        freeze(self.backbone, config, self.kept, sizes.model)
        if config.checkpointing:
            self.backbone.recompute()
        self.end = end_with(config, self.backbone)
        for name, part in self.end.parts():
            self.add_module(name, part)

    def forward(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """Token ids int[I, L], Bool[I, L] -> [I, hidden]; zeros for an item without a token."""
        if not self.kept.by_token:
            return self.finish(self.frozen(ids_IL, mask_IL), mask_IL.any(1, keepdim=True))
        return self.in_pages(self.encode, ids_IL, mask_IL)

    def encode(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        with self.numbers.computing(ids_IL.device):
            states_ILW = self.backbone(ids_IL, mask_IL)
        return self.end(states_ILW.float(), mask_IL)

    def frozen(self, ids_IL: Tensor, mask_IL: Tensor) -> Tensor:
        """What never changes in training: the input of the first tuned block [I, L, W], or the
        pooled states of layers [I, K, W]. Without dropout and without gradients."""
        training = self.backbone.training
        self.backbone.eval()
        try:
            with torch.no_grad(), self.numbers.computing(ids_IL.device):
                return self.kept.below(self.backbone, ids_IL, mask_IL)
        finally:
            self.backbone.train(training)

    def release(self) -> None:
        """Let go of the weights that nothing reads once what `frozen` makes of every item is kept:
        they leave memory, and `frozen` and `forward` are no more. The files still hold them."""
        self.kept.release(self.backbone)

    def finish(self, frozen: Tensor, mask: Tensor) -> Tensor:
        """What `frozen` made -> [I, hidden]. mask: Bool[I, L] of the tokens; with a side network
        Bool[I, 1], whether the item has any."""
        if not self.kept.by_token:
            return self.end(frozen.float(), mask)
        return self.in_pages(self.go_on, frozen, mask)

    def go_on(self, state_ILW: Tensor, mask_IL: Tensor) -> Tensor:
        with self.numbers.computing(state_ILW.device):
            states_ILW = self.kept.above(self.backbone, state_ILW, mask_IL)
        return self.end(states_ILW.float(), mask_IL)

    def pooled(self, ids_IL: Tensor, mask_IL: Tensor, how: str) -> Tensor:
        """The model's own vectors [I, W], nothing of ours between: `cls`, `mean` or `last`."""
        with torch.no_grad(), self.numbers.computing(ids_IL.device):
            states_ILW = self.backbone(ids_IL, mask_IL)
        return pool_states(how, states_ILW.float(), mask_IL)

    def in_pages(self, run: Any, rows: Tensor, mask_IL: Tensor) -> Tensor:
        """All rows at once, or in training `page` of them at a time."""
        return paged(run, rows, mask_IL, self.page if self.training else 0)

    def merge_and_unload(self) -> "LanguageModel":
        """In the form that is exported: adapters added into the weights, attention written out for
        models that decode, no page."""
        merge(self.backbone)
        if self.backbone.options:
            self.backbone.attend_plainly()
        return self
