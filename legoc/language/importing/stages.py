"""The stages of a Legommenders model: operators and settings by the tables of `importer_words`."""

from collections.abc import Mapping
from typing import Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.document import Span
from legoc.language.importing.models import Report, language_model
from legoc.language.importing.source import Section, Setting, stop
from legoc.language.importing.values import leaf, plain
from legoc.language.importing.words import (
    BEHAVIOR,
    CONTENT,
    FLATTEN,
    PREDICT,
    Counterpart,
    Only,
    To,
)
from legoc.language.resolving.template import Called, Entry, StageTemplate, Template
from legoc.language.resolving.wording_operators import ROLE_NAMES


OWN_WIDTH = 64


class Stages:
    """Makes the stages; `made` are in pipeline order."""

    def __init__(
        self, meta: Section, config: Section, declared: Catalog, place: Span, report: Report
    ) -> None:
        self.config = config
        self.declared = declared
        self.place = place
        self.report = report
        content = config.setting("use_item_content")
        self.reads_content = content is None or content.value is not False
        item = meta.setting("item") if self.reads_content else None
        user, predictor = meta.setting("user"), meta.setting("predictor")
        meta.asked.add("item")
        made = [self.content(item, content)]
        if user is None:
            raise stop(place, "the configuration names no user operator", "`user` is missing")
        if predictor is None:
            raise stop(place, "the configuration names no predictor", "`predictor` is missing")
        role: Role = "flatten" if str(user.value).lower() in FLATTEN else "behavior"
        made.append(self.stage(role, user, FLATTEN if role == "flatten" else BEHAVIOR, "user"))
        made.append(self.stage("predict", predictor, PREDICT, "predictor"))
        self.made = made

    def content(self, item: Setting | None, switch: Setting | None) -> StageTemplate:
        if not self.reads_content:
            assert switch is not None
            width = self.config.setting("item_hidden_size") or self.config.setting("hidden_size")
            self.config.setting("hidden_size")
            args = self.width(width)
            call = Called("Null", switch.span, switch.span, args, (), bool(args))
            return StageTemplate("content", switch.key, call)
        if item is None:
            raise stop(
                self.place, "the configuration names no item operator",
                "`use_item_content` holds unless it is false", "name it under `meta.item`",
            )  # fmt: skip
        return self.stage("content", item, CONTENT, "item")

    def stage(
        self, role: Role, named: Setting, table: Mapping[str, Counterpart], part: str
    ) -> StageTemplate:
        if named.open:
            raise stop(
                named.span, f"`{named.value}` holds a placeholder without a value", "which one?",
                "give it one: `--set llama=3`",
            )  # fmt: skip
        name = str(named.value).lower()
        section = self.config.section(f"{part}_config")
        section.section("inputer_config").asked.update(section.section("inputer_config").settings)
        if name == "dcnv2" and self.flag(section, "use_low_rank_mixture"):
            name = "dcnmix"
        counterpart = table.get(name)
        declaration = self.declared.get(role, counterpart.name) if counterpart else None
        if counterpart is None or declaration is None:
            noun = ROLE_NAMES[role]
            names = ", ".join(d.name for d in self.declared.role(role))
            raise stop(
                named.span, f"there is no {noun} for `{named.value}`", "it has no counterpart",
                f"{noun}s: {names}",
            )  # fmt: skip
        args = {
            key: Entry(key, named.span, plain(declaration, key, value, named.span))
            for key, value in counterpart.given.items()
        }
        args |= self.settings(counterpart, declaration, section, named)
        if role != "predict" and declaration.param("hidden") is not None and role != "behavior":
            args |= self.width(self.config.setting("hidden_size"))
            if not counterpart.pretrained:
                self.one_width()
        if counterpart.pretrained:
            self.config.setting("item_hidden_size")
            page = self.config.setting("item_page_size")
            args |= language_model(counterpart, declaration, section, page, named, self.report)
        call = Called(counterpart.name, named.span, named.span, args, (), bool(args))
        return StageTemplate(role, named.key, call)

    def flag(self, section: Section, name: str) -> bool:
        found = section.setting(name)
        return found is not None and found.value is True

    def width(self, setting: Setting | None) -> dict[str, Entry]:
        """`hidden`: the number or placeholder of the file. A placeholder it leaves open gets the
        width we have by default."""
        if setting is None or (setting.value is None and not setting.open):
            return {}
        value = OWN_WIDTH if setting.open else setting.value
        return {"hidden": Entry("hidden", setting.key, leaf(setting, value))}

    def one_width(self) -> None:
        """There, embeddings may have another width than items; here both are `hidden`."""
        inner, outer = self.config.setting("item_hidden_size"), self.config.setting("hidden_size")
        if inner is None or inner.open or inner.value is None:
            return
        if outer is not None and inner.value != (OWN_WIDTH if outer.open else outer.value):
            raise stop(
                inner.span, "embeddings have the width of items here", "another width",
                "write one width for `item_hidden_size` and `hidden_size`",
            )  # fmt: skip

    def settings(
        self, counterpart: Counterpart, declaration: Declaration, section: Section, named: Setting
    ) -> dict[str, Entry]:
        """The settings an operator reads there, as parameters here."""
        found: dict[str, Entry] = {}
        values: dict[str, tuple[Any, str]] = {}
        for key, word in counterpart.settings.items():
            setting = section.setting(key)
            if setting is not None and setting.open:
                raise stop(
                    setting.span, f"`{key}` is left open", "a placeholder without a value",
                    f"give it one: `--set {setting.param or 'NAME'}=...`",
                )  # fmt: skip
            if isinstance(word, Only):
                self.verify(key, word, setting)
                continue
            value = word.default if setting is None or setting.value is None else setting.value
            if value is None:
                continue
            if word.words is not None:
                value = word.words.get(value, value)
            first = values.setdefault(word.param, (value, key))
            if first[0] != value:
                place = setting.span if setting is not None else named.span
                raise stop(
                    place, f"`{key}` and `{first[1]}` are one setting here: `{word.param}`",
                    f"`{value}`, and there `{first[0]}`", "write one value for both",
                )  # fmt: skip
            template = self.template(word, value, setting, declaration, named.span)
            if template is not None:
                key_span = setting.key if setting is not None else named.span
                found.setdefault(word.param, Entry(word.param, key_span, template))
        return found

    def template(
        self, word: To, value: Any, setting: Setting | None, declaration: Declaration, place: Span
    ) -> Template | None:
        """A setting as it is written here; None where its default is ours."""
        declared = declaration.param(word.param)
        if setting is None or setting.value is None:
            if declared is not None and declared.default == value:
                return None
            return plain(declaration, word.param, value, place)
        if setting.param is not None and value == setting.value and not isinstance(value, str):
            return leaf(setting, value)
        return plain(declaration, word.param, value, setting.span)

    def verify(self, key: str, word: Only, setting: Setting | None) -> None:
        if setting is None or setting.value is None or setting.value == word.value:
            return
        raise stop(
            setting.span, f"`{key}` has no counterpart", f"here it is always {word.value}",
            f"write {word.value}, or leave it out, if that is what you want",
        )  # fmt: skip
