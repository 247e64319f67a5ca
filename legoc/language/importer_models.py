"""What a Legommenders configuration says of a language model: tuned layers, LoRA, side network."""

from typing import Any

from legoc.language.document import Span
from legoc.language.importer_source import Section, Setting
from legoc.language.importer_words import Counterpart
from legoc.language.points import Given
from legoc.language.template import Called, Entry, Leaf, Template


def language_model(counterpart: Counterpart, section: Section, named: Setting) -> dict[str, Entry]:
    """Layers, adapters and side network of a language model."""
    found: dict[str, Entry] = {}

    def give(name: str, template: Template) -> None:
        found[name] = Entry(name, template.span, template)

    def value(name: str, default: Any) -> tuple[Any, Span]:
        setting = section.setting(name)
        if setting is None or setting.value is None:
            return default, named.span
        return setting.value, setting.span

    if counterpart.side:
        inner: dict[str, Entry] = {}
        for key, param in (
            ("layer_selection_step", "step"),
            ("global_proj_size", "proj"),
            ("local_proj_size", "proj"),
        ):
            number, span = value(key, None)
            if number is not None:
                inner[param] = Entry(param, span, Leaf(Given(number, span)))
        give("side", Called("IISAN", named.span, named.span, inner, (), bool(inner)))
        return found
    layer, span = value("tune_from", 0)
    if layer:
        # Counted from the end, that library has the last block at -1, we its output.
        split = layer - 1 if isinstance(layer, int) and layer < 0 else layer
        give("split", Leaf(Given(split, span)))
    uses, _ = value("use_lora", True)
    numbers = {
        param: value(key, default)
        for key, param, default in (
            ("lora_r", "r", 32),
            ("lora_alpha", "alpha", 128),
            ("lora_dropout", "dropout", 0.1),
        )
    }
    if uses is True:
        inner = {
            param: Entry(param, at, Leaf(Given(number, at)))
            for param, (number, at) in numbers.items()
        }
        give("lora", Called("LoRA", named.span, named.span, inner, (), True))
    return found
