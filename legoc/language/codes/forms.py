"""E0901 to E0911, W901 to W904: specs in JSON and YAML, imported configurations, packages."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0901",
        title="not JSON or YAML",
        explanation=(
            "A file that ends in .json, .yaml or .yml is read as a spec in that form, and this one "
            "cannot be read. Of YAML, anchors, tags and several documents in one file are refused: "
            "what a file says should stand where it says it."
        ),
        bad="model: {predict: {op: Dot}",
        good="model: {predict: {op: Dot}}",
    ),
    Code(
        code="E0902",
        title="not the shape of a spec",
        explanation=(
            "A spec in JSON or YAML is a mapping with the keys of the IR, as `legoc check --ir` "
            "prints it: `model`, `data`, `train`, `export` and `name`. An operator is a mapping "
            "with `op` and `args`. Defaults may be left out, `types` and `keys` are found by the "
            "check. A list holds several specs."
        ),
        bad="model:\n  predict: Dot",
        good="model:\n  predict: {op: Dot}",
    ),
    Code(
        code="E0903",
        title="another version of the IR",
        explanation=(
            "The field `legoc` of a spec in JSON or YAML says which version of the IR it is "
            "written in. This legoc reads version 1."
        ),
        bad="legoc: 2",
        good="legoc: 1",
    ),
    Code(
        code="E0904",
        title="cannot be imported",
        explanation=(
            "A part of a Legommenders configuration has no counterpart: an operator that legoc "
            "does not have, a setting it has no word for, a lambda, a file that is not there, or "
            "a placeholder without a value. What is imported means the same here as there, so "
            "nothing is guessed or dropped in silence."
        ),
        bad="legoc import config/model/fastformer.yaml   # imports a folder that does not exist",
        good="legoc import config/model/naml.yaml --set hidden_size=64",
    ),
    Code(
        code="E0905",
        title="a file that is not written",
        explanation=(
            "`legoc new` and `legoc import` write new files and never replace one that is there: "
            "it may hold work. The place that they, `legoc table` and `legoc predict` are given "
            "must be a folder that can be written to."
        ),
        bad="legoc new nrms -o nrms.lego   # twice",
        good="legoc new nrms -o another.lego",
    ),
    Code(
        code="E0910",
        title="two packages declare one operator",
        explanation=(
            "Installed packages add operators through the entry-point group `legoc.operators`. Two "
            "of them, or one of them and legoc itself, declare the same role and name, so that a "
            "spec would mean whatever was installed last."
        ),
        bad="pip install legoc-mixers legoc-blends   # both declare `content Mix`",
        good="pip install legoc-mixers",
    ),
    Code(
        code="E0911",
        title="a package's declarations cannot be read",
        explanation=(
            "An installed package names a schema file and a module in the entry-point group "
            "`legoc.operators`; the file is missing or was not written by `python -m "
            "legoc.catalogue --package NAME OUT.json`."
        ),
        bad='[project.entry-points."legoc.operators"]\n"gone.json" = "legoc_mixers"',
        good='[project.entry-points."legoc.operators"]\n"lego.schema.json" = "legoc_mixers"',
    ),
    Code(
        code="W901",
        title="a derived value that does not hold",
        explanation=(
            "`types` and `keys` follow from the rest of a spec. The file states one that does not "
            "follow, so it was changed by hand or a file it covers is another one now. The check "
            "goes by the rest of the spec."
        ),
        bad="types: {item: 'Vec[64]', user: 'Vec[64]'}   # with `hidden: 128` above",
        good="leave `types` and `keys` out of a file you write yourself",
    ),
    Code(
        code="W902",
        title="a key that nothing reads",
        explanation=(
            "A key of a Legommenders configuration that no code of that library reads, or that "
            "names a column or a file of its own prepared data. It was left out of what is "
            "written here."
        ),
        bad="item_config:\n  kernel_size: 3   # of a Pooling operator",
        good="legoc import prints a list of such keys once; nothing has to be done about it",
    ),
    Code(
        code="W903",
        title="code in a configuration",
        explanation=(
            "A Legommenders data configuration filters rows by Python code in a string. A spec is "
            "data and nothing in it is run, so the filter is left out. The usual one drops users "
            "without clicks, who are users like any other here."
        ),
        bad='filters:\n  history:\n    - "lambda x: x"',
        good="prepare the rows you want, and read them with `Tables`",
    ),
    Code(
        code="W904",
        title="a block that Legommenders leaves out",
        explanation=(
            "With `tune_from` at t, that library keeps what goes into block t of a language model "
            "and goes on with block t + 1, so no item ever passes block t. Here the same blocks "
            "are tuned, and block t is frozen with those below it; at 0, where nothing lies "
            "below, it is tuned like the others."
        ),
        bad="tune_from: -2   # of 12 blocks: 0 to 9 frozen, 11 tuned, 10 nowhere",
        good="content BERT(split=-2)   # 0 to 10 frozen, 11 tuned",
    ),
)
