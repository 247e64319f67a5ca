"""What a score is after training: a logit with a probability behind it, or an order alone."""

from legoc.language.declaring.catalog import catalog
from legoc.language.ir.counted import is_asked
from legoc.language.ir.spec import Call, Spec, is_alone


CALIBRATE = "write `calibrate = true` in `train`"


def is_cosine(predict: Call) -> bool:
    """Whether the scores are cosines as they are. Divided by a temperature they are logits."""
    return predict.op == "Cosine" and predict.args.get("temperature") is None


def find_doubt(spec: Spec) -> str | None:
    """Why a metric that reads scores as probabilities says nothing of this model; None where it
    does."""
    if is_alone(spec):
        declaration = catalog().get("predict", spec.model["predict"].op)
        logit = declaration is not None and declaration.facts.get("logit")
        if declaration is not None and is_asked(declaration):
            return "what a server tells of a few words is no probability"
        return None if logit else "what is counted orders items, and is no probability"
    if spec.train is None:
        return "nothing was trained, so scores are no probabilities"
    if spec.train.calibrate:
        return None
    return find_raw_doubt(spec.train.task, spec)


def find_raw_doubt(task: Call, spec: Spec) -> str | None:
    """The same of scores as training leaves them, before they are calibrated."""
    if task.op == "matching":
        return f"after `matching` scores order items and are no probabilities; {CALIBRATE}"
    # With what the moment says added to them, they are no cosines any more.
    cosines = is_cosine(spec.model["predict"]) and not spec.data.context
    if task.args.get("loss") == "mse" and cosines:
        return f"scores are cosines, compared with labels as they are, and no logits; {CALIBRATE}"
    drawn = task.args.get("negatives")
    if drawn is not None:
        return f"training sees {drawn} drawn non-clicks to a click, not the log's own; {CALIBRATE}"
    return None
