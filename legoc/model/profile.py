"""What is known of a user beside the clicks, joined to the user's vector (ONCE's user profile).

Letters: B users, C vectors of a user, D width, L values of an attribute.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legoc.data.reading.profiles import Profiles
from legoc.language.declaring.declare import Attribute
from legoc.operators.blocks.masking import masked_mean
from legoc.operators.blocks.table import Table


class Profile(nn.Module):
    """u' = W [u; a_1; ...; a_n] + b, where a_i is the mean of the embedded values of an attribute,
    or a learned vector (zero at first) where a user has none.

    The users' values are part of the module, row by row of the user table, so a trained model knows
    its users wherever it runs; a graph is given them. Row 0, the unknown user, has no values.

    Liu et al., ONCE: Boosting Content-based Recommendation with Both Open- and Closed-source Large
    Language Models, WSDM 2024.
    """

    def __init__(
        self, attributes: Sequence[Attribute], *, users: int, values: int, width: int
    ) -> None:
        """users: rows of the user table; values: rows of the id space of all attributes."""
        super().__init__()
        self.names = tuple(attribute.name for attribute in attributes)
        self.values = Table(values, width)
        nn.init.normal_(self.values.weight, std=0.1)
        with torch.no_grad():
            self.values.weight[:1].zero_()
        self.empty = nn.ParameterList(torch.zeros(width) for _ in attributes)
        self.join = nn.Linear(width * (1 + len(attributes)), width)
        for place, attribute in enumerate(attributes):
            length = 1 if attribute.kind == "number" else attribute.length
            self.register_buffer(f"ids{place}", torch.zeros(users, length, dtype=torch.int64))
            self.register_buffer(f"mask{place}", torch.zeros(users, length, dtype=torch.bool))

    def fill(self, profiles: Profiles) -> None:
        """Put in the values of the users."""
        for place, name in enumerate(self.names):
            for kind, given in (("ids", profiles.ids[name]), ("mask", profiles.mask(name))):
                self.get_buffer(f"{kind}{place}").copy_(torch.from_numpy(given))

    def known(self, rows_B: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The values of known users, rows of the user table int[B]: of each attribute int[B, L] and
        Bool[B, L]."""
        return [
            (
                self.get_buffer(f"ids{place}").index_select(0, rows_B),
                self.get_buffer(f"mask{place}").index_select(0, rows_B),
            )
            for place in range(len(self.names))
        ]

    def forward(self, users: Tensor, values: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """User vectors [B, D] or [B, C, D], and of each attribute ids int[B, L] with Bool[B, L] ->
        the same shape."""
        found: list[Tensor] = []
        for (ids_BL, mask_BL), empty_D in zip(values, self.empty, strict=True):
            mean_BD = masked_mean(self.values(ids_BL), mask_BL)
            found.append(torch.where(mask_BL.any(1, keepdim=True), mean_BD, empty_D))
        if users.dim() == 3:
            found = [each.unsqueeze(1).expand_as(users) for each in found]
        return self.join(torch.cat([users, *found], -1))
