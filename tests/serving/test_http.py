"""A bundle over HTTP answers as the runtime does, refuses in words, and stops without a loss."""

import http.client
import json
import shutil
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import legoc_runtime
from tests.runtime.bundles import ITEMS, KINDS, Kind, write_bundle


pytest.importorskip("fastapi", reason="serving needs the extra `serve`")
pytest.importorskip("uvicorn", reason="serving needs the extra `serve`")

IDS = [item["id"] for item in ITEMS]
HISTORIES = [[], ["N1"], ["N2", "Ü4"], ["N5", "N1", "N2", "N3"], ["N1", "nothing", "N1"]]


@pytest.mark.parametrize("kind", ["dot", "din", "users", "many"])
def test_answers_are_those_of_the_runtime(start, tmp_path, kind):
    server = start(kind)
    model = legoc_runtime.load(tmp_path / "bundle")
    for clicks in HISTORIES:
        user = model.encode_user(clicks, user="U2")
        asked = {"history": clicks, "user_id": "U2", "k": 3, "exclude": ["N2"]}
        status, found = server.call("POST", "/recommend", asked)
        assert status == 200
        ids, scores = model.recommend(user, k=3, exclude=["N2"])
        assert found["items"] == ids
        assert found["scores"] == pytest.approx(scores, abs=1e-6)
        assert found["unknown"] == [*user.unknown]
        assert found["known_user"] == user.known
        asked = {"history": clicks, "user": "U2", "candidates": IDS}
        status, found = server.call("POST", "/score", asked)
        assert (status, found["scores"]) == (200, pytest.approx(model.score(user, IDS), abs=1e-6))


def test_items_come_and_go(start, tmp_path):
    server = start("dot", "--catalogue", str(tmp_path / "items"))
    assert server.call("GET", "/items?limit=2") == (200, {"items": IDS[:2], "count": 5})
    record = {"id": "X1", "title": "late storm", "category": "chess", "price": 3}
    status, added = server.call("POST", "/items", {"records": [record]})
    assert (status, added["added"], added["ignored"]) == (200, ["X1"], ["price"])
    assert added["unseen"] == {"category": ["chess"]}
    _, found = server.call("POST", "/recommend", {"history": ["X1"], "k": 9})
    assert "X1" in found["items"]
    assert server.call("DELETE", "/items", {"ids": ["N1", "none"]}) == (
        200, {"removed": ["N1"], "unknown": ["none"]}
    )  # fmt: skip
    _, found = server.call("POST", "/recommend", {"history": ["N1"], "k": 9})
    assert "N1" not in found["items"]
    assert server.stop() in (0, -signal.SIGTERM)
    # What was kept is there again.
    again = start("dot", "--catalogue", str(tmp_path / "items"))
    assert again.call("GET", "/items")[1]["items"] == ["N2", "N3", "Ü4", "N5", "X1"]


def test_clicks_are_counted(start, tmp_path):
    server = start(Kind(context=True))
    model = legoc_runtime.load(tmp_path / "bundle")
    now = 1_700_000_500
    status, found = server.call("POST", "/items/clicked", {"ids": ["N2", "?"], "when": now})
    assert (status, found) == (200, {"counted": 1, "unknown": ["?"]})
    model.items.clicked(["N2"], when=now)
    asked = {"history": ["N1"], "candidates": IDS, "when": now + 60}
    scores = model.score(model.encode_user(["N1"]), IDS, when=now + 60)
    assert server.call("POST", "/score", asked)[1]["scores"] == pytest.approx(scores, abs=1e-6)


WRONG = [
    ("/recommend", b"{", 400, "not JSON"),
    ("/recommend", b"[]", 400, "not a JSON object"),
    ("/recommend", b'{"k": NaN}', 400, "NaN is no number"),
    ("/recommend", b"\xff", 400, "not JSON"),
    ("/recommend", {"history": "N1"}, 400, "one text"),
    ("/recommend", {"history": [1.5]}, 400, "1.5"),
    ("/recommend", {"history": {"a": 1}}, 400, "not a list"),
    ("/recommend", {"history": [], "k": 0}, 400, "k is 0"),
    ("/recommend", {"history": [], "k": "10"}, 400, "k is '10'"),
    ("/recommend", {"history": [], "k": 10**6}, 400, "k is 1000000"),
    ("/recommend", {"history": [], "kk": 3}, 400, "no field `kk`"),
    ("/recommend", {"history": [], "where": {"price": 3}}, 400, "price"),
    ("/recommend", {"history": [], "boost": []}, 400, "`boost` is"),
    ("/recommend", {"history": [], "user": "U1", "user_id": "U2"}, 400, "twice"),
    ("/recommend", {"history": [], "when": 3}, 400, "clicked when"),
    ("/score", {"history": ["N1"]}, 400, "no `candidates`"),
    ("/score", {"history": ["N1"], "candidates": ["N1", "X9"]}, 400, "1 of 2 candidates"),
    ("/items", {"records": {"id": "X1"}}, 400, "not a list"),
    ("/items", {"records": [{"title": "late"}]}, 400, "no `id`"),
    ("/items", {"recrods": []}, 400, "no field `recrods`"),
    ("/items/clicked", {"ids": ["N1"]}, 400, "clicked when"),
    ("/items/save", None, 400, "--catalogue"),
]  # fmt: skip


def test_a_wrong_request_says_what_to_send(start):
    server = start("dot")
    before = server.call("POST", "/recommend", {"history": ["N1"]})
    for path, given, status, words in WRONG:
        found, answer = server.call("POST", path, given)
        assert found == status, (path, given, answer)
        assert words in answer["error"] + answer["help"], (path, given, answer)
    assert server.call("GET", "/items?from=x")[0] == 400
    assert server.call("GET", "/nothing")[0] == 404
    assert server.call("GET", "/recommend")[0] == 405
    assert server.call("POST", "/recommend", {"history": ["N1"]}) == before
    _, text = server.call("GET", "/metrics")
    assert 'legoc_requests_total{route="/recommend",status="200"} 2' in text


def test_what_is_too_large_is_not_read(start):
    server = start("dot", "--body", "2000")
    long = {"history": ["N1"] * 1000}
    status, found = server.call("POST", "/recommend", long)
    assert status == 413
    assert "--body" in found["help"]
    # Without a length, it is counted as it comes.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    parts = iter([b'{"history": [', *[b'"N1",'] * 1000, b'"N1"]}'])
    connection.request("POST", "/recommend", parts, encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert connection.getresponse().status == 413
    connection.close()
    assert server.call("POST", "/recommend", {"history": ["N1"]})[0] == 200


def test_a_connection_that_closes_in_the_middle_harms_nobody(start):
    server = start("dot", "--window", "100")
    text = json.dumps({"history": ["N1"]}).encode()
    head = b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(text)
    for sent in (head + text[:5], head + text):
        with socket.create_connection(("127.0.0.1", server.port)) as half:
            half.sendall(sent)
    assert server.call("POST", "/recommend", {"history": ["N1"]})[0] == 200


def test_requests_that_come_together_are_answered_together_and_alike(start, tmp_path):
    server = start("dot", "--window", "200")
    model = legoc_runtime.load(tmp_path / "bundle")
    asks = [{"history": IDS[: n % 5 + 1], "k": 1 + n % 3} for n in range(30)]
    asks[7] = {"history": ["N1"], "candidates": ["X9"]}
    with ThreadPoolExecutor(30) as pool:
        found = [*pool.map(lambda ask: server.call("POST", "/recommend", ask), asks)]
    for ask, (status, answer) in zip(asks, found, strict=True):
        if "candidates" in ask:
            assert status == 400
            assert "`X9`" in answer["error"]
            continue
        ids, scores = model.recommend(model.encode_user(ask["history"]), k=ask["k"])
        assert (status, answer["items"]) == (200, ids)
        assert answer["scores"] == pytest.approx(scores, abs=1e-6)
    _, text = server.call("GET", "/metrics")
    calls = int(text.split("legoc_joined_requests_count ")[1].split()[0])
    assert calls < 15


def test_where_too_many_wait_some_are_told_to_come_again(start):
    server = start("dot", "--window", "1000", "--waiting", "4")
    with ThreadPoolExecutor(12) as pool:
        found = [
            *pool.map(lambda _: server.call("POST", "/recommend", {"history": ["N1"]}), range(12))
        ]
    assert sorted(status for status, _ in found) == [200] * 4 + [503] * 8


def test_a_stop_answers_what_it_has_taken(start):
    server = start("dot", "--window", "700")
    found = []
    asking = threading.Thread(
        target=lambda: found.append(server.call("POST", "/recommend", {"history": ["N1"]}))
    )
    asking.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.call("GET", "/health")[1]["waiting"] == 0:
        time.sleep(0.02)
    assert server.stop() in (0, -signal.SIGTERM)
    asking.join()
    assert found[0][0] == 200


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_another_bundle_takes_its_place_without_a_failed_request(start, tmp_path):
    server = start("dot")
    statuses, ends = [], threading.Event()

    def ask():
        while not ends.is_set():
            statuses.append(server.call("POST", "/recommend", {"history": ["N1"], "k": 1})[0])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    other = Kind(arrays={**KINDS["dot"].arrays, "table": -KINDS["dot"].arrays["table"] * 2})
    write_bundle(tmp_path / "next", other)
    (tmp_path / "bundle").rename(tmp_path / "before")
    (tmp_path / "next").rename(tmp_path / "bundle")
    server.process.send_signal(signal.SIGHUP)
    server.line("serving")
    wanted = legoc_runtime.load(tmp_path / "bundle")
    _, found = server.call("POST", "/score", {"history": ["N1"], "candidates": IDS})
    scores = wanted.score(wanted.encode_user(["N1"]), IDS)
    assert found["scores"] == pytest.approx(scores, abs=1e-6)
    # One that cannot be served changes nothing.
    (tmp_path / "bundle/onnx/predictor.onnx").write_bytes(b"nothing")
    server.process.send_signal(signal.SIGHUP)
    assert "predictor.onnx" in server.line("still serving")
    ends.set()
    for thread in threads:
        thread.join()
    assert {*statuses} == {200}
    assert server.call("POST", "/score", {"history": ["N1"], "candidates": IDS})[1] == found


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_items_that_were_never_saved_outlive_a_swap(start, tmp_path):
    server = start("dot", "--catalogue", str(tmp_path / "items"))
    record = {"id": "X1", "title": "late storm"}
    assert server.call("POST", "/items/save")[0] == 200
    assert server.call("POST", "/items", {"records": [record]})[0] == 200
    assert server.call("DELETE", "/items", {"ids": ["N1"]})[0] == 200
    server.process.send_signal(signal.SIGHUP)
    server.line("serving")
    left = [*IDS[1:], "X1"]
    assert server.call("GET", "/items") == (200, {"items": left, "count": 5})
    assert server.call("GET", "/items?from=3&limit=9")[1]["items"] == left[3:]
    # Another model makes other vectors: what was there is put aside, not lost.
    other = Kind(arrays={**KINDS["dot"].arrays, "table": -KINDS["dot"].arrays["table"] * 2})
    write_bundle(tmp_path / "next", other)
    (tmp_path / "bundle").rename(tmp_path / "before")
    (tmp_path / "next").rename(tmp_path / "bundle")
    server.process.send_signal(signal.SIGHUP)
    assert "items.before" in server.line("serving")
    assert server.call("GET", "/items")[1]["items"] == IDS
    model = legoc_runtime.load(tmp_path / "before")
    model.items.load(tmp_path / "items.before")
    assert [*model.items.ids] == left


def test_a_catalogue_that_cannot_be_written_is_told_at_the_end(start, tmp_path):
    (tmp_path / "place").mkdir()
    server = start("dot", "--catalogue", str(tmp_path / "place/items"))
    shutil.rmtree(tmp_path / "place")
    status, told = server.call("POST", "/items/save")
    assert (status, "place" in told["error"]) == (400, True)
    server.process.send_signal(signal.SIGTERM)
    assert "place" in server.line("error: ")
    server.process.wait(timeout=60)


def test_what_cannot_be_served_is_said_in_a_line(tmp_path):
    import subprocess
    import sys

    write_bundle(tmp_path / "bundle", KINDS["dot"])
    shutil.copytree(tmp_path / "bundle", tmp_path / "other")
    (tmp_path / "other/onnx/predictor.onnx").unlink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for words, said in (
            ([tmp_path / "other"], "predictor.onnx"),
            ([tmp_path / "none"], "there is no bundle"),
            ([tmp_path / "bundle", "--port", taken.getsockname()[1]], "nothing can listen"),
            ([tmp_path / "bundle", "--threads", "0"], "--threads is 0"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "legoc_runtime.serving", *map(str, words)],
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 1, done.stderr
            assert said in done.stderr
            assert "Traceback" not in done.stderr


def test_the_inference_protocol(start, tmp_path):
    """As JSON, the golden tensors of every graph."""
    from legoc_runtime.selftest import group
    from legoc_runtime.tensors import read_tensors

    server = start("din")
    assert server.call("GET", "/v2/health/ready")[0] == 200
    assert server.call("GET", "/v2")[1]["extensions"] == ["binary_tensor_data"]
    types = {"int64": "INT64", "bool": "BOOL", "float32": "FP32"}
    manifest = json.loads((tmp_path / "bundle/manifest.json").read_text())
    probes = group(read_tensors(tmp_path / "bundle/golden.safetensors"))
    assert {name for name, _ in probes} == {"item_encoder", "predictor"}
    for (name, _), tensors in probes.items():
        _, told = server.call("GET", f"/v2/models/{name}")
        ports = manifest["graphs"][name]["inputs"]
        assert [port["name"] for port in told["inputs"]] == [port["name"] for port in ports]
        inputs = [
            {"name": p["name"], "datatype": types[p["dtype"]], "shape": [*tensors[p["name"]].shape],
             "data": tensors[p["name"]].tolist()} for p in ports
        ]  # fmt: skip
        status, found = server.call(
            "POST", f"/v2/models/{name}/infer", {"id": "7", "inputs": inputs}
        )
        (output,) = found["outputs"]
        expected = tensors[output["name"]]
        assert (status, found["id"], output["shape"]) == (200, "7", [*expected.shape])
        assert output["data"] == pytest.approx(expected.ravel(), abs=1e-5)
        for change, words in (
            (lambda i: i.pop(), "too"),
            (lambda i: i[0].update(shape=[0, 5, 5]), "shape"),
            (lambda i: i[0].update(datatype="FP64"), "FP64"),
            (lambda i: i[0].update(data=["x"]), "no list of numbers"),
            (lambda i: i[0].update(name="other"), "not those of"),
            (lambda i: i[0].update(parameters={"binary_data_size": 3}), "3 bytes"),
        ):
            wrong = json.loads(json.dumps(inputs))
            change(wrong)
            status, told = server.call("POST", f"/v2/models/{name}/infer", {"inputs": wrong})
            assert status == 400
            assert words in told["error"] + told["help"]
    assert server.call("GET", "/v2/models/none")[0] == 404


def test_an_independent_client_reads_the_same(start, tmp_path):
    """It sends and asks for raw bytes by default."""
    client = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")
    from legoc_runtime.selftest import group
    from legoc_runtime.tensors import read_tensors

    server = start("users")
    types = {np.dtype("i8"): "INT64", np.dtype("bool"): "BOOL", np.dtype("f4"): "FP32"}
    with client.InferenceServerClient(f"127.0.0.1:{server.port}") as triton:
        assert triton.is_server_live()
        assert triton.is_server_ready()
        for (name, _), tensors in group(
            read_tensors(tmp_path / "bundle/golden.safetensors")
        ).items():
            told = triton.get_model_metadata(name)
            inputs = []
            for port in told["inputs"]:
                array = tensors[port["name"]]
                assert port["datatype"] == types[array.dtype]
                inputs.append(client.InferInput(port["name"], array.shape, port["datatype"]))
                inputs[-1].set_data_from_numpy(array)
            (output,) = told["outputs"]
            for outputs in (None, [client.InferRequestedOutput(output["name"], binary_data=True)]):
                found = triton.infer(name, inputs, outputs=outputs).as_numpy(output["name"])
                assert found == pytest.approx(tensors[output["name"]], abs=1e-5)


def test_odd_forms_of_the_protocol_are_refused_too(start):
    server = start("dnn")
    place = "/v2/models/predictor/infer"
    for given, headers in (
        ({"inputs": 3}, {}),
        ({"inputs": [3]}, {}),
        ({"inputs": [{"name": ["users"]}]}, {}),
        ({"inputs": [], "parameters": 3}, {}),
        ({"inputs": [], "outputs": [{"name": "other"}]}, {}),
        ({"inputs": []}, {"Inference-Header-Content-Length": "x"}),
        ({"inputs": []}, {"Inference-Header-Content-Length": "99999"}),
    ):
        status, found = server.call("POST", place, given, headers)
        assert status == 400, given
        assert found["help"]
    shape = {"datatype": "FP32", "shape": [1, 5], "parameters": {"binary_data_size": 20.0}}
    status, _ = server.call("POST", place, {"inputs": [{"name": "users", **shape}]})
    assert status == 400


def test_who_asks_may_be_described(start, tmp_path):
    server = start("profile")
    model = legoc_runtime.load(tmp_path / "bundle")
    given = {"age": 60, "region": ["south", "moon"], "regoin": 1}
    user = model.encode_user(["N1"], profile=given)
    asked = {"history": ["N1"], "profile": given}
    status, found = server.call("POST", "/recommend", {**asked, "k": 3})
    ids, scores = model.recommend(user, k=3)
    assert (status, found["items"]) == (200, ids)
    assert found["scores"] == pytest.approx(scores, abs=1e-6)
    assert (found["ignored"], found["unseen"]) == (["regoin"], {"region": ["moon"]})
    status, found = server.call("POST", "/score", {**asked, "candidates": IDS})
    assert (status, found["scores"]) == (200, pytest.approx(model.score(user, IDS), abs=1e-6))
    for wrong in ({"aeg": 1}, "age", [1], {"age": "old"}):
        status, found = server.call("POST", "/recommend", {"history": [], "profile": wrong})
        assert (status, sorted(found)) == (400, ["error", "help"])


def test_what_breaks_the_model_is_one_request_alone(tmp_path, monkeypatch):
    from legoc_runtime.serving.asking import answer_all, read_ask
    from legoc_runtime.serving.limits import Limits
    from legoc_runtime.serving.measures import Measures

    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS["dot"]))
    run = model.graphs.encode_users

    def breaks(clicks, *given):
        if clicks.shape[1] >= 2:
            raise RuntimeError("the graph ends in the middle")
        return run(clicks, *given)

    monkeypatch.setattr(model.graphs, "encode_users", breaks)
    asks = [
        read_ask({"history": history, "candidates": IDS}, Limits(), recommends=False)
        for history in (["N1"], ["N1", "N2"], ["N5"])
    ]
    found = answer_all(model, asks, Measures())
    assert isinstance(found[1], RuntimeError)
    for place, history in ((0, ["N1"]), (2, ["N5"])):
        wanted = model.score(model.encode_user(history), IDS)
        assert found[place]["scores"] == pytest.approx(wanted, abs=1e-6)
