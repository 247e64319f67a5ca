"""The front end as a caller sees it: what each call takes and gives."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, assert_type

import legoc
from legoc import Diagnostic, LegoError, SpecError, check, describe, load
from legoc.language.checking import Checked
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.kinds import Param
from legoc.language.diagnosing.document import Document, Span
from legoc.language.ir.spec import Call, Data, Export, Keys, Prompt, Spec, Train, Types


def checks(path: str) -> None:
    checked = check(path, overrides=["hidden=64"])
    assert_type(checked, Checked)
    assert_type(checked.specs, tuple[Spec, ...])
    assert_type(checked.errors, tuple[Diagnostic, ...])
    assert_type(checked.dropped, Mapping[str, int])
    check(Path(path))
    check(Document("m.lego", "content CNN -> behavior Additive -> predict Dot"))
    check()  # pyright: ignore[reportCallIssue]
    check(3)  # pyright: ignore[reportArgumentType]
    check(path, overides=[])  # pyright: ignore[reportCallIssue]
    check(path, ["hidden=64"])  # pyright: ignore[reportCallIssue]


def loads(path: str) -> None:
    specs = load(path)
    assert_type(specs, list[Spec])
    for spec in specs:
        assert_type(spec.name, str)
        assert_type(spec.model, Mapping[Literal["content", "behavior", "flatten", "predict"], Call])
        assert_type(spec.model["predict"].op, str)
        assert_type(spec.model["predict"].args, Mapping[str, Any])
        assert_type(spec.data, Data)
        assert_type(spec.data.content, tuple[Attribute | Prompt, ...])
        assert_type(spec.train, Train | None)
        assert_type(spec.export, Export)
        assert_type(spec.types, Types)
        assert_type(spec.keys, Keys)
        assert_type(spec.origin, Mapping[str, Span])
        spec.name = "other"  # pyright: ignore[reportAttributeAccessIssue]
        spec.model["predictor"]  # pyright: ignore[reportArgumentType]
        print(spec.train.epochs)  # pyright: ignore[reportOptionalMemberAccess]


def refuses(path: str) -> Sequence[Diagnostic]:
    try:
        legoc.load(path)
    except SpecError as error:
        assert_type(error.diagnostics, Sequence[Diagnostic])
        return error.diagnostics
    except LegoError as error:
        for diagnostic in error.diagnostics:
            assert_type(diagnostic.severity, Literal["error", "warning"])
            assert_type(diagnostic.primary, Span | None)
            assert_type(diagnostic.help, tuple[str, ...])
    return ()


def describes() -> None:
    found = describe("content", "CNN")
    assert_type(found, list[Declaration])
    assert_type(found[0].params, tuple[Param, ...])
    assert_type(found[0].param("hidden"), Param | None)
    legoc.describes()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
