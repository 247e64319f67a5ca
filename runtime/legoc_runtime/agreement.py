"""What a schema cannot say of a manifest: that its parts belong together."""

from collections.abc import Mapping
from typing import Any

from legoc_runtime.errors import BundleError
from legoc_runtime.manifest import FORMAT, MAJOR, Manifest, find_dims
from legoc_runtime.strict_json import AGAIN


def verify_agreement(manifest: Manifest) -> None:
    """Raise BundleError where a part of the manifest does not fit another."""
    try:
        verify_parts(manifest)
        verify_ports(manifest)
        verify_widths(manifest)
        verify_context(manifest)
        verify_cold(manifest)
        verify_index(manifest)
    except ValueError as error:
        raise BundleError(
            f"manifest.json is not of the form {FORMAT}/{MAJOR}: {error}", AGAIN
        ) from None


def verify_parts(manifest: Manifest) -> None:
    """What the plan needs is there, and every file that is named has a hash."""
    if not manifest.plan.keeps_clicks and "user_encoder" not in manifest.graphs:
        raise ValueError("no graph user_encoder")
    if manifest.item_graph is not None and manifest.reading is None:
        raise ValueError("an item encoder without a reading")
    if manifest.plan.reads_user and manifest.users is None:
        raise ValueError("a user encoder that reads users, and no list of them")
    if manifest.generated >= manifest.rows:
        raise ValueError("`items.generated` leaves no row")
    named = [graph.file for graph in manifest.graphs.values()]
    named += [file for file in (manifest.items, manifest.users, manifest.tokens) if file]
    if manifest.context is not None and manifest.context.file is not None:
        named.append(manifest.context.file)
    named += [file for file in (manifest.cold.file, manifest.texts) if file is not None]
    readings = {"reading": manifest.reading}
    if manifest.profile is not None:
        if not manifest.plan.reads_user:
            raise ValueError("a profile of users whom nothing reads")
        readings["profile.reading"] = manifest.profile.reading
        named.append(manifest.profile.file)
    for place, reading in readings.items():
        if reading is not None:
            verify_reading(reading, place)
            for part in reading["parts"]:
                named += [part[key] for key in ("tokenizer", "vocabulary") if key in part]
    if manifest.attributes is not None:
        named.append(manifest.attributes.file)
    if manifest.index is not None:
        named.append(manifest.index.file)
    for file in named:
        if file not in manifest.files:
            raise ValueError(f"`{file}` has no hash")


def verify_reading(reading: Mapping[str, Any], place: str) -> None:
    """Every id that stands for itself has a row of its table."""
    for name in ("padding", "unknown", "separator"):
        if (reading.get(name) or 0) >= reading["rows"]:
            raise ValueError(f"`{place}.{name}` is {reading[name]}, of {reading['rows']} rows")


def verify_ports(manifest: Manifest) -> None:
    """Each graph reads what the runtime gives it, and their widths agree."""
    plan, graphs = manifest.plan, manifest.graphs
    given = {"predictor": {"users", "items", "owner"}}
    if plan.user in ("clicks", "prefix"):
        given["predictor"].add("users_mask")
    if plan.user == "prefix":
        given["predictor"].add("items_mask")
    if plan.user == "texts":
        given["predictor"] = {"tokens", "tokens_mask"}
    if manifest.context is not None:
        given["predictor"].add("context")
    given["user_encoder"] = (
        {"tokens", "tokens_mask"} if manifest.flattens else {"clicks", "clicks_mask"}
    )
    if plan.reads_user:
        given["user_encoder"].add("user")
    if manifest.profile is not None:
        attributes = [part["name"] for part in manifest.profile.reading["parts"]]
        ports = {f"profile_{name}" for name in attributes}
        given["user_encoder"] |= ports | {f"{port}_mask" for port in ports}
    if manifest.reading is not None:
        names = [part["name"] for part in manifest.reading["parts"] if "name" in part]
        read = names if manifest.reading["layout"] == "fields" else ["tokens"]
        given["item_encoder"] = {*read, *(f"{name}_mask" for name in read)}
    for name, graph in graphs.items():
        strange = {port.name for port in graph.inputs} - given.get(name, set())
        if strange:
            raise ValueError(
                f"`graphs.{name}` reads {', '.join(sorted(strange))}, which nothing gives it"
            )


def verify_widths(manifest: Manifest) -> None:
    """Vectors have the width of the plan, and the predictor reads the users that are made."""
    plan, graphs = manifest.plan, manifest.graphs
    if plan.user == "prefix":
        verify_prefix(manifest)
        return
    if plan.user == "texts":
        verify_texts(manifest)
        return
    vectors: list[tuple[str, str]] = [("predictor", "items")]
    if "item_encoder" in graphs:
        vectors.append(("item_encoder", graphs["item_encoder"].outputs[0].name))
    if plan.user == "clicks":
        vectors.append(("predictor", "users"))
    else:
        vectors.append(("user_encoder", "clicks"))
        verify_users(manifest)
    for name, port in vectors:
        dims = find_dims(manifest, name, port)
        if dims is not None and dims[-1] != plan.width:
            raise ValueError(
                f"`{port}` of `graphs.{name}` has the dimensions {list(dims)}, `plan.width` is "
                f"{plan.width}"
            )


def verify_context(manifest: Manifest) -> None:
    """The predictor reads as many numbers of the moment as the manifest describes, and a share says
    what it is made of."""
    read = find_dims(manifest, "predictor", "context")
    if manifest.context is None:
        return
    for number in manifest.context.numbers:
        if number.kind == "share" and None in (number.overall, number.weight):
            raise ValueError(f"`{number.name}` is a share without `overall` and `weight`")
    count = len(manifest.context.numbers)
    if read is None or read[1:] != (count,):
        raise ValueError(
            f"`context.numbers` has {count}, `graphs.predictor` reads "
            f"{'none' if read is None else list(read)}"
        )


def verify_cold(manifest: Manifest) -> None:
    """What users of whom nothing is known are answered has the file it takes."""
    cold = manifest.cold
    if (cold.answer in ("popularity", "mean")) != (cold.file is not None):
        raise ValueError(
            f"`cold.answer` is {cold.answer}, {'with a' if cold.file else 'without its'} file"
        )
    if cold.answer == "mean" and manifest.plan.user not in ("vector", "many"):
        raise ValueError("`cold.answer` is mean, and a user is no vector")


def verify_prefix(manifest: Manifest) -> None:
    """What a language model keeps of a history is what the predictor goes on from, and there is a
    prompt whose endings have the width of an item."""
    made = manifest.graphs["user_encoder"].outputs[0].dims
    read = find_dims(manifest, "predictor", "users")
    if read != made or len(made) != 3 or not isinstance(made[2], int):
        raise ValueError(
            f"`graphs.predictor` reads users {read}, `graphs.user_encoder` makes {list(made)}"
        )
    prompt = manifest.prompt
    if prompt is None or not prompt.joined or manifest.tokens is None:
        raise ValueError("`plan.user` is prefix, without a prompt or the tokens of the items")
    if prompt.tail != manifest.plan.width:
        raise ValueError(
            f"`plan.width` is {manifest.plan.width}, the prompt ends with up to {prompt.tail}"
        )


def verify_texts(manifest: Manifest) -> None:
    """Where each pair is one text there is a prompt, whose items have the width of an item."""
    prompt = manifest.prompt
    if prompt is None or not prompt.joined:
        raise ValueError("`plan.user` is texts, without a prompt that joins clicks and candidate")
    if prompt.each != manifest.plan.width:
        raise ValueError(
            f"`plan.width` is {manifest.plan.width}, an item of the prompt has up to {prompt.each}"
        )


def verify_index(manifest: Manifest) -> None:
    """An index was made of these very items."""
    index = manifest.index
    if index is None:
        return
    if index.items.lower() != manifest.files[manifest.items].sha256:
        raise ValueError(f"`{index.file}` is an index of other items than `{manifest.items}` holds")
    if manifest.predict != "Dot" or manifest.plan.user != "vector":
        raise ValueError("an index, and scores that are no products of vectors")


def verify_users(manifest: Manifest) -> None:
    """What the user encoder makes is what the predictor reads, and of the plan's form."""
    made = manifest.graphs["user_encoder"].outputs[0].dims
    read = find_dims(manifest, "predictor", "users")
    if read is not None and read[1:] != made[1:]:
        raise ValueError(
            f"`graphs.predictor` reads users {list(read)}, `graphs.user_encoder` makes {list(made)}"
        )
    form = {2: "vector", 3: "many"}.get(len(made))
    if form != manifest.plan.user or not all(isinstance(dim, int) for dim in made[1:]):
        raise ValueError(f"`plan.user` is {manifest.plan.user}, the users are {list(made)}")
