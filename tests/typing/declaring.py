"""Declaring an operator outside legoc: the class stays itself, a parameter has its annotation."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from typing import Literal, assert_type

from legoc.language.declaring.declare import Divides, Odd, Rule, operator, param


@operator("behavior", "Recent", "Seq[Vec[d]] -> Vec[d]", paper="none")
class Recent:
    """A mean that forgets."""

    class Config:
        decay: float = param(0.9, min=0, max=1, doc="weight of a click against the next one")
        kind: Literal["mean", "sum"] = param("mean", doc="what is taken")
        kernel: int = param(3, doc="window")

    rules = (Divides("kernel", "d"), Odd("kernel"))
    example = "behavior Recent"

    def __init__(self, config: "Recent.Config") -> None:
        assert_type(config.decay, float)
        assert_type(config.kind, Literal["mean", "sum"])
        self.decay = config.decay


assert_type(Recent.rules, tuple[Rule, Rule])
assert_type(Recent(Recent.Config()).decay, float)
param(0.9, 3)  # pyright: ignore[reportCallIssue]
operator("behavior")  # pyright: ignore[reportCallIssue]
operator("content", "X", "Id -> Vec[hidden]", layout="words")  # pyright: ignore[reportArgumentType]
