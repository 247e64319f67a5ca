"""codecarbon as a meter of electricity: of the processor and the GPU, never over the network."""

import importlib.metadata
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from legoc.language.diagnosing.diagnostics import fail


# What codecarbon reads meters of processors by. Its other ways multiply a design power by the load.
METERS = ("intel_rapl", "intel_power_gadget", "windows_emi")
CHIP = "AppleSiliconChip"
# It asks for a country, which decides emissions; only its kWh are taken.
COUNTRY = "USA"
SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Reading:
    """kWh of the processor, and of the GPU where the work is on one. metered: one of them has a
    meter; assumed: one of them has none."""

    kwh: float
    metered: bool
    assumed: bool
    by: str


class Meter:
    """A tracker at work. `stop` may be called again and gives the same."""

    def __init__(self, tracker: Any, *, gpu: bool) -> None:
        self.tracker, self.gpu = tracker, gpu
        self.stopped = False
        self.reading: Reading | None = None

    def stop(self) -> Reading | None:
        """What it has counted; None where it broke off."""
        if not self.stopped:
            self.stopped = True
            self.tracker.stop()
            found = getattr(self.tracker, "final_emissions_data", None)
            if found is not None:
                self.reading = read(found, self.tracker._hardware, gpu=self.gpu)
        return self.reading


def verify_meter() -> None:
    """E0585 where codecarbon is not installed."""
    if find_spec("codecarbon") is None:
        raise fail(
            "E0585",
            "electricity is measured by codecarbon, which is not installed",
            "install it: pip install 'legoc[carbon]', or leave `--energy measured` out",
        )


def start_meter(*, gpu: bool) -> Meter:
    """A tracker of this process that has begun: no file, no network. gpu: whether the work is on
    one, whose meter is then read as well. E0585 where there is none."""
    verify_meter()
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    # All is given here, because else files and variables of the user would decide.
    tracker = OfflineEmissionsTracker(
        country_iso_code=COUNTRY, output_methods=[], log_level="critical", pue=1.0,
        tracking_mode="process", allow_multiple_runs=True, measure_power_secs=SECONDS,
        electricitymaps_api_token=None, cloud_provider=None, cloud_region=None,
    )  # fmt: skip
    tracker.start()
    # It swallows whatever goes wrong in it.
    if getattr(tracker, "_start_time", None) is None:
        raise fail(
            "E0585",
            "codecarbon does not start on this machine",
            "leave `--energy measured` out: an estimate needs nothing",
        )
    return Meter(tracker, gpu=gpu)


def read(found: Any, hardware: list[Any], *, gpu: bool) -> Reading:
    """What codecarbon's sums say, and from what hardware it has them."""
    kinds = {type(each).__name__ for each in hardware}
    modes = {each._mode for each in hardware if type(each).__name__ == "CPU"}
    processor = CHIP in kinds or bool(modes & set(METERS))
    accelerator = gpu and "GPU" in kinds
    by = f"codecarbon {importlib.metadata.version('codecarbon')}"
    if not processor:
        by += " without a meter of the processor"
    if gpu and not accelerator:
        by += " without a meter of the GPU"
    return Reading(
        kwh=found.cpu_energy + (found.gpu_energy if accelerator else 0.0),
        metered=processor or accelerator,
        assumed=not processor or (gpu and not accelerator),
        by=by,
    )
