"""The routes of the server: what each reads, calls and answers."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response

import legoc_runtime
from legoc_runtime.counting import Counted
from legoc_runtime.errors import BundleError, LegoRuntimeError, RequestError
from legoc_runtime.items import Items
from legoc_runtime.serving import inference
from legoc_runtime.serving.answers import (
    Refused,
    read_body,
    read_json,
    refuse_error,
    write_json,
)
from legoc_runtime.serving.asking import answer_all, read_ask
from legoc_runtime.serving.joining import Joiner
from legoc_runtime.serving.limits import Limits
from legoc_runtime.serving.measures import Measures
from legoc_runtime.serving.served import Served


Answer = dict[str, Any] | Response
Does = Callable[[Request], Awaitable[Answer]]

JSON = "application/json"
PAGE = 1_000


class Routes:
    """What the server does for each route."""

    def __init__(self, served: Served, measures: Measures, limits: Limits, threads: int) -> None:
        self.served, self.measures, self.limits = served, measures, limits
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="legoc")
        self.joiner = Joiner(self.answer, self.executor, limits)

    def answer(self, asks: Any) -> Any:
        self.measures.together(len(asks))
        return answer_all(self.served.model, asks, self.measures)

    async def body(self, request: Request) -> bytes:
        return await read_body(
            request.headers.get("content-length"), request.stream(), self.limits.body
        )

    async def work(self, does: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """A call of the model, beside the loop that answers."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, partial(does, *given, **named))

    async def change(self, does: Callable[[Items], Any]) -> Any:
        """A change of the items that are served."""
        return await self.work(self.served.change, does)

    async def recommend(self, request: Request) -> Answer:
        given = read_json(await self.body(request))
        return await self.joiner.ask(read_ask(given, self.limits, recommends=True))

    async def score(self, request: Request) -> Answer:
        given = read_json(await self.body(request))
        return await self.joiner.ask(read_ask(given, self.limits, recommends=False))

    async def list_items(self, request: Request) -> Answer:
        """A page of ids."""
        query = request.query_params
        try:
            start, most = int(query.get("from", 0)), int(query.get("limit", PAGE))
        except ValueError:
            raise RequestError(
                "`from` and `limit` are no whole numbers", "?from=0&limit=1000"
            ) from None
        if start < 0 or not 1 <= most <= 100 * PAGE:
            raise RequestError(
                f"from {start}, limit {most}", f"from 0, and 1 to {100 * PAGE:,} at once"
            )
        ids, count = await self.work(self.served.model.items.page, start, most)
        return {"items": ids, "count": count}

    async def add_items(self, request: Request) -> Answer:
        given: Any = read_json(await self.body(request))
        fields(given, "records", "when")
        records, when = given.get("records"), given.get("when")
        return asdict(await self.change(lambda items: items.add(records, when)))

    async def remove_items(self, request: Request) -> Answer:
        given: Any = read_json(await self.body(request))
        fields(given, "ids")
        return asdict(await self.change(lambda items: items.remove(given.get("ids"))))

    async def count_items(self, request: Request, *, shown: bool) -> Answer:
        given: Any = read_json(await self.body(request))
        fields(given, "ids", "when")

        def count(items: Items) -> Counted:
            when = given.get("when")
            if when is None and items.unit is not None:
                raise RequestError(
                    f"moments of this model are {items.unit} of its log", "give `when`"
                )
            does = items.shown if shown else items.clicked
            return does(given.get("ids"), time.time() if when is None else when)

        return asdict(await self.change(count))

    async def save_items(self, request: Request) -> Answer:
        if self.served.catalogue is None:
            raise RequestError("the server keeps no catalogue", "start it with `--catalogue FILE`")
        await self.work(self.served.keep)
        return {"saved": str(self.served.catalogue)}

    async def health(self, request: Request) -> Answer:
        model = self.served.model
        return {
            "status": "ready", "model": repr(model), "items": len(model.items),
            "waiting": self.joiner.load, "version": legoc_runtime.__version__,
        }  # fmt: skip

    async def metrics(self, request: Request) -> Answer:
        text = self.measures.text(items=len(self.served.model.items), waiting=self.joiner.load)
        return Response(text, media_type="text/plain; version=0.0.4")

    async def server(self, request: Request) -> Answer:
        return inference.describe_server(legoc_runtime.__version__)

    async def live(self, request: Request) -> Answer:
        return {"live": True, "ready": True}

    async def graph(self, request: Request) -> Answer:
        return inference.describe_graph(self.named(request))

    async def graph_ready(self, request: Request) -> Answer:
        return {"name": self.named(request).name, "ready": True}

    def named(self, request: Request) -> Any:
        return inference.find_graph(self.served.model, request.path_params["name"])

    async def infer(self, request: Request) -> Answer:
        body, header = await self.body(request), request.headers.get(inference.HEADER)
        name = request.path_params["name"]
        text, size = await self.work(inference.infer, self.served.model, name, body, header)
        headers = {} if size is None else {inference.HEADER: size}
        kind = JSON if size is None else "application/octet-stream"
        return Response(text, media_type=kind, headers=headers)


def fields(given: Any, *known: str) -> None:
    """A field that is misspelt must not be ignored."""
    strange = sorted(given.keys() - {*known})
    if strange:
        raise RequestError(
            f"there is no field `{strange[0]}`", f"the fields are {', '.join(known)}"
        )


def make_app(
    served: Served, measures: Measures, limits: Limits | None = None, threads: int = 2
) -> FastAPI:
    """The application. threads: how many calls of the model run at a time."""
    routes = Routes(served, measures, limits or Limits(), threads)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        # What is in flight was answered before; nothing new comes.
        routes.executor.shutdown(wait=True)
        try:
            served.keep()
        except LegoRuntimeError as error:
            print(f"error: {error.message}\n  help: {error.help}", file=sys.stderr, flush=True)

    app = FastAPI(
        title="legoc", version=legoc_runtime.__version__, lifespan=life,
        description="Recommendations from a legoc bundle.",
    )  # fmt: skip
    for method, path, does in (
        ("POST", "/recommend", routes.recommend),
        ("POST", "/score", routes.score),
        ("GET", "/items", routes.list_items),
        ("POST", "/items", routes.add_items),
        ("DELETE", "/items", routes.remove_items),
        ("POST", "/items/clicked", partial(routes.count_items, shown=False)),
        ("POST", "/items/shown", partial(routes.count_items, shown=True)),
        ("POST", "/items/save", routes.save_items),
        ("GET", "/health", routes.health),
        ("GET", "/metrics", routes.metrics),
        ("GET", "/v2", routes.server),
        ("GET", "/v2/health/live", routes.live),
        ("GET", "/v2/health/ready", routes.live),
        *(
            (method, f"/v2/models/{{name}}{version}{rest}", does)
            for version in ("", "/versions/1")
            for method, rest, does in (
                ("GET", "", routes.graph),
                ("GET", "/ready", routes.graph_ready),
                ("POST", "/infer", routes.infer),
            )
        ),
    ):
        # The body is read by hand: its bytes are counted as they come, and JSON is strict.
        app.add_api_route(
            path, answering(does, path, measures), methods=[method],
            name=f"{method} {path}", include_in_schema=False,
        )  # fmt: skip
    return app


def answering(does: Does, path: str, measures: Measures) -> Does:
    """A route with its errors as answers, and its time measured."""

    async def route(request: Request) -> Response:
        began = time.perf_counter()
        try:
            found = await does(request)
            response = (
                found
                if isinstance(found, Response)
                else Response(write_json(found), media_type=JSON)
            )
        except (Refused, LegoRuntimeError) as error:
            refused = error if isinstance(error, Refused) else refuse_error(error)
            status = 500 if isinstance(error, BundleError) else refused.status
            told = {"error": refused.message, "help": refused.help}
            response = Response(write_json(told), status_code=status, media_type=JSON)
            if status == 413:
                # What is left of the body is not read, so the connection cannot go on.
                response.headers["connection"] = "close"
        measures.answered(path, response.status_code, time.perf_counter() - began)
        return response

    return route
