"""The flags of `legoc train` that say how electricity is found out, and that of tables."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from legoc.training.energy import Energy

WORDS = ("estimated", "measured")
# Grams of CO2e per kWh that some grid has: what is outside is most likely of another unit.
LEAST, MOST = 1.0, 2000.0


def takes_energy(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--energy", type=watts, default=(), metavar="HOW",
        help="how the electricity of training is found out: estimated, measured (by codecarbon), "
        "or by these watts of a core at work, and of the GPU: 12, or 12,300 (default: estimated)",
    )  # fmt: skip
    takes_intensity(parser, "(default: 475, an average of the world)")


def takes_intensity(parser: ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--carbon", type=grams, metavar="GRAMS", help=f"grams of CO2e per kWh {default}"
    )


def watts(text: str) -> str | tuple[float, ...]:
    """`measured`, or the watts of a core and of a GPU as far as they are given."""
    if text in WORDS:
        return "measured" if text == "measured" else ()
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        found = ()
    if not 1 <= len(found) <= 2 or not all(0 < each <= 10_000 for each in found):
        raise ArgumentTypeError(
            f"`{text}` is not estimated, measured or watts such as 12, or 12,300 with the GPU's"
        )
    return found


def grams(text: str) -> float:
    """Grams of CO2e per kWh."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not LEAST <= found <= MOST:
        raise ArgumentTypeError(
            f"`{text}` is not between {LEAST:g} and {MOST:g} grams of CO2e per kWh, such as 475"
        )
    return found


def chosen_energy(arguments: Namespace) -> "Energy":
    """What the flags say."""
    from dataclasses import replace

    from legoc.training.energy import ESTIMATE, GIVEN

    made = ESTIMATE
    if arguments.energy == "measured":
        made = replace(made, measured=True)
    elif arguments.energy:
        core, gpu = (*arguments.energy, made.gpu)[:2]
        made = replace(made, core=core, gpu=gpu)
    if arguments.carbon is not None:
        made = replace(made, intensity=arguments.carbon, source=GIVEN)
    return made
