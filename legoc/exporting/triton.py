"""The graphs of a bundle as a model repository of Triton's onnxruntime backend.

One folder per graph, `<name>_<graph>`, with `config.pbtxt` and `1/model.onnx`; weights beside a
graph keep their names, which are recorded in it.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.writing import replacing_folder
from legoc_runtime.bundle import open_bundle, weight_files


CONFIG = "config.pbtxt"
TYPES = {"int64": "TYPE_INT64", "bool": "TYPE_BOOL", "float32": "TYPE_FP32"}


def write_triton(bundle: Path, folder: Path) -> list[str]:
    """Writes the repository of a verified bundle to `folder`, replacing an earlier one; the names
    of its models. Errors: E0830 where `folder` holds something else."""
    verify_repository(folder)
    opened = open_bundle(bundle)
    name = re.sub(r"\W+", "_", str(opened.manifest["spec"].get("name", "model")))
    beside = weight_files(opened.parts)
    made: list[str] = []
    with replacing_folder(folder) as place:
        for graph, said in opened.manifest["graphs"].items():
            model = f"{name}_{graph}"
            version = place / model / "1"
            version.mkdir(parents=True)
            file = opened.path / said["file"]
            shutil.copyfile(file, version / "model.onnx")
            for weights in beside:
                if (opened.path / weights).name.startswith(f"{file.name}."):
                    shutil.copyfile(opened.path / weights, version / (opened.path / weights).name)
            config = write_config(model, said)
            (place / model / CONFIG).write_text(config, encoding="utf-8")
            made.append(model)
    return made


def verify_repository(folder: Path) -> None:
    """E0830 where a folder holds something else than what is written here."""
    there = list(folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and (
        not folder.is_dir() or any(not (each / CONFIG).is_file() for each in there)
    ):
        raise fail(
            "E0830",
            f"`{folder}` holds files that are not of a model repository",
            "empty this folder, or put them somewhere else",
        )


def write_config(name: str, graph: Mapping[str, Any]) -> str:
    """The configuration of one graph, as protobuf writes text. Batches are not Triton's to make:
    rows of one call share lengths, and owners count from the users of their own call."""
    ports = [
        f"{side} [\n" + ",\n".join(write_port(port) for port in graph[f"{side}s"]) + "\n]"
        for side in ("input", "output")
    ]
    return "\n".join(
        [
            f"name: {quote(name)}", 'backend: "onnxruntime"', "max_batch_size: 0", *ports,
            "instance_group [ { kind: KIND_CPU, count: 1 } ]", "",
        ]
    )  # fmt: skip


def write_port(port: Mapping[str, Any]) -> str:
    dims = ", ".join(str(dim) if isinstance(dim, int) else "-1" for dim in port["dims"])
    return (
        f"  {{ name: {quote(port['name'])}, data_type: {TYPES[port['dtype']]}, dims: [ {dims} ] }}"
    )


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
