"""What a Legommenders configuration says of a language model: tuned blocks, LoRA, side network."""

from collections.abc import Callable

from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.importing.source import Section, Setting, stop
from legoc.language.importing.values import leaf
from legoc.language.importing.words import Counterpart
from legoc.language.ir.checkpoints import count_layers
from legoc.language.resolving.points import Given
from legoc.language.resolving.template import Called, Entry, Leaf, Template


Report = Callable[[Diagnostic], None]

# The settings of LoRA, the parameters here and the defaults there.
ADAPTER = {"lora_r": ("r", 32), "lora_alpha": ("alpha", 128), "lora_dropout": ("dropout", 0.1)}


def language_model(
    counterpart: Counterpart, declaration: Declaration, section: Section, page: Setting | None,
    named: Setting, report: Report,
) -> dict[str, Entry]:  # fmt: skip
    """What a section says of a language model, as parameters here. page: how many items are encoded
    at once. Raises LegoError (E0904)."""
    found: dict[str, Entry] = {}

    def give(name: str, template: Template) -> None:
        found[name] = Entry(name, template.span, template)

    verify_tokens(section)
    # Nothing is dropped there behind the last Linear.
    give("dropout", Leaf(Given(0, named.span)))
    if counterpart.side:
        give("side", read_side(section, named.span))
        return found
    blocks = count_layers(counterpart.given, declaration)
    split = read_split(section.setting("tune_from"), blocks, report)
    adapter = read_adapter(section, named.span)
    if split is not None:
        give("split", split)
    if adapter is not None and (split is None or split.given.value not in (-1, blocks)):
        give("lora", adapter)
    if page is not None and page.value:
        give("page", leaf(page, page.value))
    return found


def verify_tokens(section: Section) -> None:
    """That no tokens of its own stand around or between the attributes there."""
    laid = section.section("inputer_config")
    for name in ("use_cls_token", "use_sep_token"):
        setting = laid.setting(name)
        if setting is not None and setting.value:
            raise stop(
                setting.span, f"`{name}` has no counterpart in a language model",
                "a token that the model was never trained on",
                "write false here, and `special=true` afterwards for the model's own tokens",
            )  # fmt: skip


def read_split(setting: Setting | None, blocks: int | None, report: Report) -> Leaf | None:
    """`split` for `tune_from`: the same blocks are tuned.

    At t, that library keeps what goes into block t and goes on with block t + 1: block t is left
    out. Here it is frozen with those below it, which is a split at t + 1; and at t where t counts
    from the end, for there it counts blocks and here the states between and around them.
    """
    if setting is None or setting.value is None:
        return None
    at = setting.value
    if not isinstance(at, int) or isinstance(at, bool):
        raise stop(setting.span, "`tune_from` counts blocks", f"`{at}` is no whole number")
    block = f"block {at}" if at >= 0 or blocks is None else f"block {blocks + at}"
    label = "here it is frozen" if at else "here it is tuned like the others"
    report(
        Diagnostic(
            code="W904",
            severity="warning",
            message=f"`tune_from` of {at} leaves {block} out of the model there",
            labels=(Label(span=setting.span, text=label, primary=True),),
        )
    )
    return Leaf(Given(at if at < 0 else at + 1, setting.span)) if at else None


def read_adapter(section: Section, place: Span) -> Called | None:
    """LoRA, which is there unless `use_lora` denies it."""
    uses = section.setting("use_lora")
    if uses is not None and uses.value not in (True, False, None):
        raise stop(uses.span, "`use_lora` is true or false", f"`{uses.value}` is neither")
    inner: dict[str, Entry] = {}
    for key, (param, default) in ADAPTER.items():
        setting = section.setting(key)
        if uses is not None and not uses.value:
            continue
        if setting is None:
            inner[param] = Entry(param, place, Leaf(Given(default, place)))
        elif setting.value is None:
            raise stop(
                setting.span, f"LoRA needs a number for `{key}`", "it has none",
                f"give it one: `--set {setting.param or key}={default}`"
                if setting.param else f"write one, such as {default}",
            )  # fmt: skip
        else:
            inner[param] = Entry(param, setting.key, leaf(setting, setting.value))
    return Called("LoRA", place, place, inner, (), True) if inner else None


def read_side(section: Section, place: Span) -> Called:
    """The side network; its projection is one for all layers or one for each."""
    inner: dict[str, Entry] = {}

    def read(key: str, param: str) -> Setting | None:
        setting = section.setting(key)
        if setting is None or setting.value is None:
            return None
        inner[param] = Entry(param, setting.key, leaf(setting, setting.value))
        return setting

    read("layer_selection_step", "step")
    shared = read("global_proj_size", "proj")
    own = read("local_proj_size", "proj")
    if shared is not None and own is not None:
        raise stop(
            own.span, "states are projected once, for all layers together or for each",
            "the second projection", "write null for one of the two",
        )  # fmt: skip
    if shared is not None:
        inner["shared"] = Entry("shared", shared.key, Leaf(Given(True, shared.span)))
    return Called("IISAN", place, place, inner, (), bool(inner))
