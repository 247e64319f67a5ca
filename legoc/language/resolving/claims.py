"""What each `--set` is about: a param, a declaration, or every point."""

from collections.abc import Callable, Sequence

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.resolving.naming import fits_no_run, misfit, unknown_override
from legoc.language.resolving.override import Override
from legoc.language.resolving.scope import Scope
from legoc.language.syntax import tree


KINDS = ("data", "train", "export", "model")


class Claims:
    """The overrides by what they concern: `settings` params, `changes` declarations. `prefixes` are
    the file prefixes that something goes through."""

    def __init__(
        self,
        scope: Scope,
        report: Callable[[Diagnostic], None],
        overrides: Sequence[Override],
    ) -> None:
        self.scope = scope
        self.report = report
        self.settings: dict[tree.Setting, Override] = {}
        self.changes: dict[tree.Declared, list[tuple[Override, tree.Path]]] = {}
        self.kinds: list[Override] = []
        self.met: set[str] = set()
        self.prefixes: set[str] = set()
        for override in overrides:
            self.claim(override)

    def claim(self, override: Override) -> None:
        head, *rest = override.key.words
        names = self.scope.names
        if rest and head.text in KINDS and head.text not in names:
            self.kinds.append(override)
            return
        target = names.get(head.text)
        depth = 1
        if target is not None and target.item is None and rest:
            self.prefixes.add(head.text)
            target = target.scope.names.get(rest[0].text)
            depth = 2
        if target is None or target.item is None:
            if not self.scope.may_have(head.text):
                self.report(unknown_override(override, self.scope))
            return
        inside = override.key.words[depth:]
        if isinstance(target.item, tree.Setting) and not inside:
            self.settings[target.item] = override
        elif isinstance(target.item, tree.Declared) and inside:
            change = (override, override.inside(depth))
            self.changes.setdefault(target.item, []).append(change)
        else:
            self.report(misfit(override, target.item))

    def of_kind(self, kind: str) -> list[Override]:
        """What is said of the `kind` of every point."""
        self.met.add(kind)
        return [override for override in self.kinds if override.key.words[0].text == kind]

    def unmet(self) -> list[Diagnostic]:
        """What is said of a kind that no run has."""
        if self.scope.parsed.lost:
            return []
        return [
            fits_no_run(override, self.scope)
            for override in self.kinds
            if override.key.words[0].text not in self.met
        ]
