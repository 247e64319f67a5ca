"""An answer of a language model as a score.

Letters: P pairs, T tokens of an ending, D width of the last states, A answer words.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.answering import Head
from legoc.operators.blocks.prefixing import state_at
from legoc.operators.sizes import Sizes


@operator(
    "predict", "YesNo", "(Prefix, Tokens) -> Score", tasks=("ranking",),
    facts={"whole": "(Seq[Tokens], Tokens) -> Score"},
    paper="Liu et al., Can LLMs Outshine Conventional Recommenders? A Comparative Evaluation, "
    "NeurIPS 2025",
)  # fmt: skip
class YesNo(nn.Module):
    """z(yes) - z(no) at the last token of the prompt: the logit of the two-way softmax over the
    model's next word.

    Several spellings of an answer count together, by log-sum-exp. Each is one token of the model.
    A model that reads in both directions is asked at a mask token behind the prompt, one that
    writes a text of its own at the beginning of that: then, as with the candidate before the
    clicks, each pair is read whole.
    Of the vocabulary head only the rows of these words are there, in training, evaluation and
    export.
    """

    class Config:
        yes: list[str] = param(["YES"], doc="spellings of the answer yes, each one token")
        no: list[str] = param(["NO"], doc="spellings of the answer no, each one token")

    example = 'flatten LM("FOLDER", prompt=recbench) -> predict YesNo(yes=["YES"], no=["NO"])'

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        self.yes = len(config.yes)
        self.answers = nn.Linear(sizes.width, self.yes + len(config.no))
        self.pretrained = True
        self.scale, self.cap = 1.0, None

    def fill(self, head: Head, ids: Sequence[int], *, frozen: bool) -> None:
        """Take the rows of a head for the words, those of `yes` first."""
        chosen = torch.tensor(list(ids), device=head.weight.device)
        self.scale, self.cap = head.scale, head.cap
        with torch.no_grad():
            self.answers.weight.copy_(head.weight[chosen].float())
            if head.bias is None:
                self.answers.bias.zero_()
            else:
                self.answers.bias.copy_(head.bias[chosen].float())
        self.answers.requires_grad_(not frozen)

    def forward(self, states_PTD: Tensor, mask_PT: Tensor) -> Tensor:
        """Last states of endings [P, T, D], Bool[P, T] -> [P]."""
        z_PA = self.answers(state_at(states_PTD, mask_PT).squeeze(1)) * self.scale
        if self.cap is not None:
            z_PA = self.cap * torch.tanh(z_PA / self.cap)
        yes_PA, no_PA = z_PA[:, : self.yes], z_PA[:, self.yes :]
        return together(yes_PA) - together(no_PA)


def together(z_PA: Tensor) -> Tensor:
    """log of the sum of exponentials over the words: [P, A] -> [P]."""
    return z_PA[:, 0] if z_PA.shape[1] == 1 else z_PA.logsumexp(1)
