"""The cosine of user and candidate."""

from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.sizes import Sizes


# Below every product of two norms that means anything, and safe to divide by in float32.
SMALLEST = 1e-8


@operator("predict", "Cosine", "(Vec[d], Vec[d]) -> Score", tasks=("matching", "ranking"))
class Cosine(nn.Module):
    """The cosine of the user vector and the candidate vector.

    With a `temperature` it is divided by it; cross-entropy over cosines learns little without one,
    because scores between -1 and 1 are nearly alike as logits. A zero vector scores 0. Where the
    data has a `context`, its prior is added, and the sum is no cosine but a logit.
    """

    class Config:
        temperature: float | None = param(
            None, min=0.001, doc="what the cosine is divided by; none leaves it as it is"
        )

    example = "predict Cosine(temperature=0.1)"

    def __init__(self, config: "Cosine.Config", sizes: Sizes) -> None:
        super().__init__()
        self.temperature = config.temperature

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D], [P, D] -> [P]."""
        norms_P = user_PD.norm(dim=-1) * item_PD.norm(dim=-1)
        # Clamped and not added to: an exporter's optimiser drops so small an addend.
        cosine_P = (user_PD * item_PD).sum(-1) / norms_P.clamp_min(SMALLEST)
        return cosine_P if self.temperature is None else cosine_P / self.temperature
