"""E0590 to E0599: evaluation."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0590",
        title="scores that are not finite",
        explanation=(
            "The model gave NaN or infinite scores, which cannot be ranked. The weights have "
            "usually diverged: the learning rate was too high for the data."
        ),
        bad="legoc train diverging.lego          # lr = 10",
        good="legoc train diverging.lego --set train.lr=1e-3",
    ),
    Code(
        code="E0591",
        title="nothing to evaluate",
        explanation=(
            "The part of the data that was asked for does not exist, or none of its rows has a "
            "label, as in a published test set that hides them."
        ),
        bad="legoc eval runs/nrms-1f0c --split predict",
        good="legoc eval runs/nrms-1f0c --split test",
    ),
    Code(
        code="E0592",
        title="neither a run nor a bundle",
        explanation=(
            "Evaluation takes a run folder, which has a spec.json, or a bundle, which has a "
            "manifest.json. A run that was not exported has no bundle yet, and one that was not "
            "trained has no weights."
        ),
        bad="legoc eval runs/",
        good="legoc eval runs/nrms-1f0c88e2ab31",
    ),
    Code(
        code="E0593",
        title="a bundle away from its data",
        explanation=(
            "A bundle is evaluated on the data it was trained on. It says what the files and "
            "folders are called and not where they lie, for that differs between machines. They "
            "are looked for in the working directory, or in the folder that `--data` names. Data "
            "that have other items in training teach other words, whose numbers mean something "
            "else to the bundle."
        ),
        bad="legoc eval nrms/bundle               # trained on raw/MINDsmall",
        good="legoc eval nrms/bundle --data raw",
    ),
)
