"""The tracker `tensorboard`: the figures of a run as TensorBoard reads them."""

from collections.abc import Mapping
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from legoc.model.run import Run


FOLDER = "tensorboard"


class TensorBoard:
    """Writes event files to `tensorboard/` in the run folder: `tensorboard --logdir runs` shows all
    runs under their names. Where a training goes on, what it does again replaces what there was."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.writer: SummaryWriter | None = None
        self.step = 0

    def start(self, run: Run) -> None:
        self.run = run

    def log(self, entry: Mapping[str, Any]) -> None:
        self.step = entry["step"]
        writer = self.open(self.step)
        if entry["event"] == "step":
            writer.add_scalar("train/loss", entry["loss"], self.step)
            writer.add_scalar("train/lr", entry["lr"], self.step)
        if entry["event"] == "evaluation":
            for name, value in entry["metrics"].items():
                writer.add_scalar(f"valid/{name}", value, self.step)

    def end(self, run: Run) -> None:
        if self.writer is None:
            return
        for split, report in (run.metrics or {}).items():
            for name, value in report["metrics"].items():
                if value is not None:
                    self.writer.add_scalar(f"{split}/{name}", value, self.step)
        self.writer.add_text("model.lego", indent(run.spec.source_text), self.step)
        self.writer.close()

    def open(self, step: int) -> SummaryWriter:
        """The writer, opened with the first entry, which tells where this sitting begins."""
        if self.writer is None:
            assert self.run is not None
            self.writer = SummaryWriter(str(self.run.folder / FOLDER), purge_step=step)
        return self.writer


def indent(text: str) -> str:
    """Text as Markdown shows it unchanged."""
    return "\n".join(f"    {line}" for line in text.splitlines())
