"""The bundle that a command is given: its own folder, or that of the run it was exported from."""

import json
from pathlib import Path


def bundle_of(folder: str) -> Path:
    """Where the bundle lies. Raises E0592 for a run that was not exported; what is no bundle at all
    is for the runtime to say."""
    place = Path(folder)
    if (place / "manifest.json").exists() or not (place / "spec.json").is_file():
        return place
    bundle = place / "bundle"
    if not (bundle / "manifest.json").is_file():
        from legoc.language.diagnosing.diagnostics import fail

        raise fail(
            "E0592",
            f"the run `{folder}` has no bundle yet",
            f"write it with `legoc export {folder}`",
        )
    return bundle


def name_of(folder: str) -> str:
    """What a run or a bundle is called: by its spec, else by its folder."""
    place = Path(folder)
    for file, key in (("spec.json", None), ("manifest.json", "spec")):
        try:
            found = json.loads((place / file).read_text(encoding="utf-8"))
            return str((found if key is None else found[key])["name"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return place.resolve().name
