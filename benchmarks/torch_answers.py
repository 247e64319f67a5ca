"""A trained model answered by torch alone: what an application without the runtime would write.

Letters: N items with row 0, D width, S clicks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from legoc_runtime.tokens import Reader, Record


@dataclass
class TorchAnswers:
    """recommender: a model whose scores are inner products. vectors: [N, D] of its items."""

    recommender: Any
    reader: Reader
    ids: Sequence[str]
    vectors: Tensor

    def __post_init__(self) -> None:
        self.places = {name: row for row, name in enumerate(self.ids)}

    @staticmethod
    def open(run: str | Path) -> "TorchAnswers":
        from legoc.data import prepare
        from legoc.model.run import Run, load_recommender

        torch.set_num_threads(1)
        opened = Run(Path(run))
        prepared = prepare(opened.spec)
        recommender = load_recommender(opened, prepared.rows).eval()
        assert prepared.reading is not None
        assert prepared.reading_folder is not None
        made = TorchAnswers(
            recommender, Reader.load(prepared.reading_folder, prepared.reading),
            prepared.items.ids, torch.zeros(0),
        )  # fmt: skip
        inputs = prepared.inputs.rows(np.arange(len(prepared.items), dtype=np.int32))
        with torch.no_grad():
            made.vectors = recommender.encode_items(
                {name: torch.from_numpy(np.asarray(given)) for name, given in inputs.items()}
            )
        made.vectors[0] = 0
        return made

    def encode(self, history: Sequence[str]) -> Tensor:
        """[D] of clicks."""
        rows = torch.tensor([self.places[name] for name in history if name in self.places])
        with torch.inference_mode():
            clicks = self.vectors[rows][None]
            mask = torch.ones(clicks.shape[:2], dtype=torch.bool)
            return self.recommender.encode_users(clicks, mask)[0]

    def score(self, user: Tensor, ids: Sequence[str]) -> Tensor:
        rows = torch.tensor([self.places[name] for name in ids])
        with torch.inference_mode():
            return self.vectors[rows] @ user

    def recommend(self, user: Tensor, k: int) -> tuple[list[int], list[float]]:
        with torch.inference_mode():
            found = torch.topk(self.vectors @ user, k)
            return found.indices.tolist(), found.values.tolist()

    def encode_item(self, record: Record) -> Tensor:
        """[D] of a new item from its content."""
        given: dict[str, Tensor] = {}
        for name, (ids, lengths) in self.reader.read([record]).items():
            given[name] = torch.from_numpy(ids)
            given[f"{name}_mask"] = torch.from_numpy(np.arange(ids.shape[1]) < lengths[:, None])
        with torch.inference_mode():
            return self.recommender.encode_items(given)[0]
