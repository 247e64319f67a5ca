"""Codes of `legoc score` and `legoc recommend`, and of commands that take a bundle or run."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0850",
        title="the runtime refused",
        explanation=(
            "The bundle is damaged, of an unknown format, or was asked for something it cannot do. "
            "The message is the one an application embedding `legoc_runtime` would get."
        ),
        bad="legoc inspect runs/naml-1234/bundle    # one byte of predictor.onnx was changed",
        good="legoc export runs/naml-1234            # writes the bundle again from the run",
    ),
    Code(
        code="E0860",
        title="a record lacks a field",
        explanation=(
            "`legoc recommend` needs `history` in each record, `legoc score` also `candidates`."
        ),
        bad='echo \'{"clicks": ["N1"]}\' | legoc recommend bundle/',
        good='echo \'{"history": ["N1"]}\' | legoc recommend bundle/',
    ),
    Code(
        code="E0861",
        title="no items asked for",
        explanation="`-k` is how many items each user is recommended, at least one.",
        bad="legoc recommend bundle/ users.jsonl -k 0",
        good="legoc recommend bundle/ users.jsonl -k 10",
    ),
    Code(
        code="E0862",
        title="a file of unknown form",
        explanation=(
            "Records are read and written as JSON lines, CSV, TSV or Parquet; the ending decides."
        ),
        bad="legoc recommend bundle/ users.txt",
        good="legoc recommend bundle/ users.csv -o top.parquet",
    ),
    Code(
        code="E0863",
        title="no such file of records",
        explanation=(
            "The file of histories does not exist; `-` reads JSON lines from standard input."
        ),
        bad="legoc recommend bundle/ missing.jsonl",
        good="legoc recommend bundle/ - < users.jsonl",
    ),
    Code(
        code="E0864",
        title="no record",
        explanation=(
            "Each line of JSON lines is one object; lists of ids stand under its fields. A table "
            "has a header, and each row as many cells; text is UTF-8. With `--keep-going` such a "
            "line is answered with `error`, and the others are answered too."
        ),
        bad='["N1", "N2"]',
        good='{"history": ["N1", "N2"]}',
    ),
    Code(
        code="E0866",
        title="a field of a record holds something else",
        explanation=(
            "`history` and `candidates` are lists of item ids, or one text with blanks between "
            "them; null is none. An id, of a user too, is a text or a whole number. `when` (or "
            "`time`) is a moment, where the model reads one. With `--keep-going` such a record is "
            "answered with `error`, and the others are answered too."
        ),
        bad='{"history": {"N1": 3}}',
        good='{"history": ["N1"]}',
    ),
    Code(
        code="E0867",
        title="`--when` is no moment, or the model reads none",
        explanation=(
            "A model with `context` scores an item by what was clicked until a moment. `--when` "
            "names it for records that have no `when` or `time` of their own: ISO text, or seconds "
            "since 1970. Other models know no moment."
        ),
        bad="legoc recommend bundle/ users.jsonl --when tomorrow",
        good='legoc recommend bundle/ users.jsonl --when "2024-03-07 22:01:04"',
    ),
    Code(
        code="E0833",
        title="a user who cannot be encoded",
        explanation=(
            "The bundle was exported with `cold = error`: it answers nobody of whom it knows "
            "nothing, neither a click on one of its items nor the user. With `--keep-going` such a "
            "record is answered with `error`, and the others are answered too."
        ),
        bad="export edge { cold = error }",
        good="export edge { cold = popularity }",
    ),
    Code(
        code="E0834",
        title="a profile that cannot be read",
        explanation=(
            "`profile` of a record has attributes of its user, for models that were trained with "
            "`user = [...]`; at least one of them is one the model reads, and its value is of that "
            "kind. What else a profile has is told in the answer as `ignored`, and categories that "
            "training never saw as `unseen`."
        ),
        bad='{"history": ["N1"], "profile": {"aeg": 31}}',
        good='{"history": ["N1"], "profile": {"age": 31}}',
    ),
    Code(
        code="E0870",
        title="approximate search without a product of vectors",
        explanation=(
            "An index finds the vectors whose product with that of a user is largest. Scores of "
            "other predictors, and those to which the moment adds something, are no such products, "
            "so no index would find their best items."
        ),
        bad="legoc index runs/din-0123456789ab",
        good="legoc index runs/naml-0123456789ab",
    ),
    Code(
        code="E0871",
        title="approximate search without its package",
        explanation="The index is made and searched by faiss, which the extra `ann` installs.",
        bad="pip install legoc\nlegoc index runs/naml-0123456789ab",
        good='pip install "legoc[ann]"\nlegoc index runs/naml-0123456789ab',
    ),
    Code(
        code="E0872",
        title="no history to measure an index on",
        explanation=(
            "What an index finds is measured on histories: those of the bundle's data, or of a "
            "file of records. At least one of them needs a click on an item of the bundle."
        ),
        bad="legoc index bundle --histories strangers.jsonl",
        good="legoc index bundle --histories asked.jsonl",
    ),
    Code(
        code="E0873",
        title="an index that finds too little",
        explanation=(
            "However many candidates a search keeps, less of the best ten is found than "
            "`--recall` asks for. Recommending from all items is exact, and fast up to a hundred "
            "thousand of them."
        ),
        bad="legoc index runs/naml-0123456789ab --recall 1",
        good="legoc index runs/naml-0123456789ab --recall 0.95",
    ),
    Code(
        code="E0874",
        title="a bundle that cannot be searched approximately",
        explanation=(
            "`--approximate` needs an index, which `legoc index` puts into a bundle, the package "
            "faiss-cpu, and scores that are products of vectors."
        ),
        bad="legoc recommend bundle asked.jsonl --approximate",
        good="legoc index bundle\nlegoc recommend bundle asked.jsonl --approximate",
    ),
    Code(
        code="E0880",
        title="a worker without the file or the bundle",
        explanation=(
            "With `--engine ray` each worker opens the bundle and the file of records itself, by "
            "the paths that the command was given. On several machines these lie in a folder that "
            "all of them share, and nobody writes the file meanwhile."
        ),
        bad="legoc score bundle/ /tmp/asked.parquet -o scores.parquet --engine ray --address auto",
        good="legoc score /shared/bundle /shared/asked.parquet -o scores.parquet --engine ray "
        "--address auto",
    ),
    Code(
        code="E0881",
        title="work that cannot be spread so",
        explanation=(
            "Ray's workers read parts of a Parquet file and what they answer becomes one: other "
            "forms cannot be read from the middle. Each worker has a CPU, and one more is left "
            "free. `--jobs` and `--address` are about these workers."
        ),
        bad="legoc score bundle/ asked.jsonl -o scores.jsonl --engine ray",
        good="legoc score bundle/ asked.parquet -o scores.parquet --engine ray",
    ),
    Code(
        code="E0882",
        title="`--items` beside something else",
        explanation=(
            "`legoc embed BUNDLE --items FILE` encodes raw items with the encoder of a bundle, "
            "from Parquet to Parquet. It reads no spec, no data set and no language model, so "
            "flags about these say nothing there; `--engine ray` is for raw items alone."
        ),
        bad="legoc embed bundle/ --items new.parquet -o new.safetensors",
        good="legoc embed bundle/ --items new.parquet -o vectors.parquet",
    ),
    Code(
        code="E0883",
        title="an item that cannot be encoded",
        explanation=(
            "A table of raw items has a column `id` (or `item_id`) and at least one of the "
            "attributes the model reads; an id is given once, and values are of the kind of their "
            "attribute. Models whose items are rows of a trained table encode none. The message "
            "names the row."
        ),
        bad="item_id,title\n,A headline without an id",
        good="item_id,title\nN1,A headline",
    ),
    Code(
        code="E0884",
        title="workers that are lost again and again",
        explanation=(
            "Ray starts a worker that was killed again, and gives what it had in hand to another "
            "one. That ends where the same part has lost its worker eight times over, most often "
            "because memory ran out."
        ),
        bad="legoc score bundle/ asked.parquet -o scores.parquet --engine ray --jobs 64",
        good="legoc score bundle/ asked.parquet -o scores.parquet --engine ray --jobs 8",
    ),
    Code(
        code="E0865",
        title="neither a bundle nor a run",
        explanation=(
            "A run folder holds `spec.json`, a bundle `manifest.json`; both are printed at the end "
            "of `legoc train`."
        ),
        bad="legoc eval specs/naml.lego",
        good="legoc eval runs/naml-0123456789ab",
    ),
)
