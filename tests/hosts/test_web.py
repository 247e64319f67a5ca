"""The page of hosts/web in a headless Chromium: opened, clicked, typed into."""

import json
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import legoc_runtime
from tests.hosts.conftest import ROOT
from tests.runtime.bundles import ITEMS, KINDS, Kind, rewrite, write_bundle


PAGE = ROOT / "hosts" / "web"
BROWSE = Path(__file__).with_name("browse.mjs")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
READY = {"until": "document.documentElement.dataset.ready"}
FAULT = {"until": "document.documentElement.dataset.fault"}
BEST = "[...document.querySelectorAll('#best button')].map((each) => each.dataset.id)"
SCORES = "[...document.querySelectorAll('#best .score')].map((each) => Number(each.innerText))"
TYPED = '<img src=x onerror="fail()"> Late GOAL over the coast'


def text(selector):
    return f"document.querySelector({json.dumps(selector)}).innerText"


def click(name):
    return f"document.querySelector('#cards [data-id=\"{name}\"]').click()"


def clicked(count):
    return {"until": f"document.documentElement.dataset.clicks == {count}"}


def build(node, bundle, out, *more):
    return subprocess.run(
        [node, str(PAGE / "build.mjs"), str(bundle), str(out), *more], capture_output=True,
        text=True, encoding="utf-8",
    )  # fmt: skip


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *given):
        """Say nothing."""


@pytest.fixture
def visit(node):
    """visit(folder, steps, host=..., size=...): what a browser says of a page of this folder."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip("no Chromium here: install one, or name it in CHROMIUM")
    servers = []

    def visit(folder, steps, host="127.0.0.1", **options):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{host}:{server.server_port}/"
        done = subprocess.run(
            [node, str(BROWSE), chromium, address],
            input=json.dumps({"steps": steps, **options}), capture_output=True, text=True,
            encoding="utf-8", timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["failure"] is None
        elsewhere = [url for url in told["requests"] if not url.startswith((address, "data:"))]
        assert not elsewhere
        return told

    yield visit
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def page(node, tmp_path):
    """page(kind): a folder with the page of the bundle of a kind, and the bundle."""

    def page(kind, change=None):
        bundle = write_bundle(tmp_path / "bundle", kind)
        if change is not None:
            rewrite(bundle, change)
        lines = (json.dumps(item) for item in ITEMS)
        (tmp_path / "items.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        done = build(node, bundle, tmp_path / "page", "--items", str(tmp_path / "items.jsonl"))
        assert done.returncode == 0, done.stderr
        return tmp_path / "page", bundle

    return page


# To a browser the first is this machine, the second any machine that speaks plain HTTP.
@pytest.mark.parametrize(
    ("name", "host"),
    [("dot", "127.0.0.1"), ("dot", "page.test"), ("din", "127.0.0.1"), ("many", "127.0.0.1")],
)
def test_clicks_change_what_is_recommended(page, visit, name, host):
    folder, bundle = page(KINDS[name])
    model = legoc_runtime.load(bundle)
    new = {"id": "own-1", "title": TYPED, "category": "sport"}
    steps = [
        READY, {"evaluate": "isSecureContext"}, {"evaluate": BEST},
        {"evaluate": "Number(document.querySelector('#proof').dataset.difference)"},
        {"evaluate": click("N2")}, clicked(1), {"evaluate": BEST}, {"evaluate": SCORES},
        {"evaluate": "Object.assign(document.querySelector('[name=title]'), "
                     f"{{ value: {json.dumps(TYPED)} }}).name"},
        {"evaluate": "Object.assign(document.querySelector('[name=category]'), "
                     "{ value: 'sport' }).name"},
        {"evaluate": "document.querySelector('#own').requestSubmit()"},
        {"until": "document.querySelector('#cards .own')"},
        {"evaluate": text("#cards .own .said")},
        {"until": "document.querySelector('#best [data-id=own-1]')"},
        {"evaluate": click("own-1")}, clicked(2), {"evaluate": BEST}, {"evaluate": SCORES},
        {"evaluate": text("#history")}, {"evaluate": "document.querySelector('#forget').click()"},
        clicked(0), {"evaluate": BEST},
    ]  # fmt: skip
    told = visit(folder, steps, host)
    assert told["complaints"] == []
    answers = [each for each in told["answers"] if each is not None]
    secure, before, difference, first, scores, _, _, said, both, more, history, again = answers
    assert secure == (host == "127.0.0.1")
    assert difference < 1e-5
    assert said.startswith(TYPED)
    assert len(history.splitlines()) == 2

    def best(clicks):
        ids, logits = model.recommend(model.encode_user(clicks), exclude=clicks)
        return ids, pytest.approx(logits, abs=0.006)

    assert before == best([])[0]
    assert (first, scores) == best(["N2"])
    model.items.add([new])
    assert (both, more) == best(["N2", "own-1"])
    assert again == best([])[0]


def test_items_that_are_rows_of_a_table_take_no_article(page, visit):
    folder, bundle = page(KINDS["table"])
    model = legoc_runtime.load(bundle)
    told = visit(folder, [
        READY, {"evaluate": "document.querySelector('#write').hidden"},
        {"evaluate": click("N1")}, clicked(1), {"evaluate": BEST},
    ])  # fmt: skip
    assert told["complaints"] == []
    hidden, _, best = told["answers"]
    assert hidden
    assert best == model.recommend(model.encode_user(["N1"]), exclude=["N1"])[0]


def test_a_model_of_the_moment_is_scored_at_its_mean(page, visit):
    folder, _ = page(Kind(context=True))
    told = visit(folder, [READY, {"evaluate": text("#proof")}])
    assert told["complaints"] == []
    assert "mean moment" in told["answers"][0]


def test_a_damaged_bundle_is_told_on_the_page(page, visit):
    folder, _ = page(KINDS["dot"])
    graph = folder / "bundle/onnx/predictor.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    told = visit(folder, [FAULT, {"evaluate": text("#fault")}])
    assert "`onnx/predictor.onnx` has" in told["answers"][0]


def test_another_bundle_can_be_opened(page, visit, tmp_path):
    folder, _ = page(KINDS["dot"])
    other = write_bundle(tmp_path / "other/run", KINDS["din"])
    model = legoc_runtime.load(other)
    told = visit(folder, [
        READY, {"evaluate": click("N1")}, clicked(1),
        {"files": [str(other)], "into": "#folder"}, clicked(0),
        {"evaluate": click("N1")}, clicked(1), {"evaluate": BEST}, {"evaluate": text("#fault")},
    ])  # fmt: skip
    assert told["complaints"] == []
    *_, best, fault = told["answers"]
    assert fault == ""
    assert best == model.recommend(model.encode_user(["N1"]), exclude=["N1"])[0]


@pytest.mark.parametrize("size", [[390, 844], [1280, 900]])
def test_nothing_is_wider_than_the_screen(page, visit, size):
    folder, _ = page(KINDS["dot"])
    wide = "[...document.querySelectorAll('main, #you, #best, #catalogue, header')]"
    told = visit(folder, [
        READY, {"evaluate": click("N1")}, clicked(1),
        {"evaluate": f"Math.max(...{wide}.map((each) => each.getBoundingClientRect().right))"},
        {"evaluate": "document.documentElement.scrollWidth"},
    ], size=size)  # fmt: skip
    _, right, scrolled = told["answers"]
    assert max(right, scrolled) <= size[0]


MISTAKES = {
    "no bundle": (["nothing", "out"], "is not a bundle"),
    "a full folder": (["bundle", "full"], "is not empty"),
    "no items": (["bundle", "out", "--items", "nothing"], "cannot be read"),
    "no records": (["bundle", "out", "--items", "full/a"], "line 1 of"),
    "one folder": (["bundle"], "two folders are needed"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_build_that_cannot_be_says_why(node, tmp_path, name):
    write_bundle(tmp_path / "bundle", KINDS["dot"])
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a").write_text("[1]\n")
    given, words = MISTAKES[name]
    done = subprocess.run(
        [node, str(PAGE / "build.mjs"), *given], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_bundle_may_not_lead_out_of_its_folder(node, tmp_path):
    bundle = write_bundle(tmp_path / "bundle", KINDS["dot"])
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["../secret"] = {"bytes": 1, "sha256": "0" * 64}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    done = build(node, bundle, tmp_path / "out")
    assert "leads out of the bundle" in done.stderr
