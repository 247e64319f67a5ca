"""E0590 to E0599: evaluation."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0589",
        title="what draws is not installed",
        explanation=(
            "`legoc report` draws its pictures with altair and vl-convert, which come with the "
            "extra `report`. `legoc table` and `legoc compare` say the same without pictures."
        ),
        bad="legoc report news.lego    # after `pip install legoc`",
        good="pip install 'legoc[report]'",
    ),
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
            "trained has no weights. A bundle of another version may have a spec that this one "
            "cannot read."
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
    Code(
        code="E0588",
        title="nothing that full ranking measures",
        explanation=(
            "Full ranking puts each group that clicks against the whole catalogue and keeps where "
            "its clicks stand, for the scores of all users and items are more than a disk holds. "
            "Metrics of groups follow from that. Those of all rows at once, such as `AUC`, "
            "`LogLoss`, `F1` and `ECE`, do not: they are left out beside others, and a recipe that "
            "has no others is refused. A counted model that would score too many pairs one by one "
            "is left out with the same code."
        ),
        bad="legoc eval runs/nrms-1f0c88e2ab31 --candidates all    # metrics = [AUC, LogLoss]",
        good="legoc eval runs/nrms-1f0c88e2ab31 --candidates all    # metrics = [Recall(10), MRR]",
    ),
    Code(
        code="E0595",
        title="a run whose scores were not kept",
        explanation=(
            "Comparisons and tables read what an evaluation keeps of every row and every group, "
            "`scores.parquet` and `groups.parquet` in the run folder. `legoc train` writes them of "
            "the test part at its end. A run that an earlier version made, another part of the "
            "data, or a damaged file needs an evaluation that writes them."
        ),
        bad="legoc compare runs/nrms-1f0c88e2ab31 runs/naml-77ac01b5d2e9",
        good="legoc eval runs/nrms-1f0c88e2ab31 --scores",
    ),
    Code(
        code="E0596",
        title="figures that do not compare",
        explanation=(
            "Two figures say something of two models only where everything else is the same: the "
            "rows, the split, what rows are grouped by, what the candidates are, how ties count "
            "and what is left out. This is the contract of a measurement; it is kept with every "
            "run, and the message names what differs."
        ),
        bad="legoc compare runs/nrms-1f0c88e2ab31 runs/nrms-on-other-data",
        good="legoc compare runs/nrms-1f0c88e2ab31 runs/naml-77ac01b5d2e9",
    ),
    Code(
        code="E0597",
        title="nothing to compare",
        explanation=(
            "A comparison needs two systems. Runs that differ only in `seed` are one system, "
            "trained several times; a run that is named twice is one run."
        ),
        bad="legoc compare 'nrms[seed=1]' 'nrms[seed=2]'",
        good="legoc compare 'nrms[seed=1]' 'nrms[seed=2]' naml",
    ),
    Code(
        code="E0598",
        title="a metric that was not kept",
        explanation=(
            "A comparison has the metrics that the recipe named when the runs were measured, as "
            "far as groups add up to them; `ECE` is of all rows together. Another one is measured "
            "by training the file again with it: what is trained stays as it is."
        ),
        bad="legoc compare nrms naml --metric MRR    # metrics = [GAUC]",
        good="legoc train news.lego --set train.metrics=[GAUC,MRR]",
    ),
    Code(
        code="E0599",
        title="results that cannot be written so",
        explanation=(
            "The ending of a file says what is written: a row per candidate, or with `.zip` the "
            "ranks of each impression as a publisher takes them, which MIND and EB-NeRD do. A "
            "submission has to rank every candidate of the published part: where the data hold "
            "less than that, it would be refused or be wrong. A table is written as text, "
            "Markdown, CSV or LaTeX."
        ),
        bad="legoc predict runs/nrms-1f0c88e2ab31 -o scores.txt",
        good="legoc predict runs/nrms-1f0c88e2ab31 -o prediction.zip",
    ),
)
