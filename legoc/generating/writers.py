"""Who writes: declarations of the models of `generate`."""

from typing import Literal

from legoc.language.declaring.declare import Model, Quantity, operator, param


Duration = Quantity["duration"]


@operator("writer", "LM", primary="path")
class LM:
    """A language model on this machine that writes on from a text, by its folder or its name on a
    hub. Answers are the likeliest ones, unless a temperature is given."""

    class Config:
        path: Model = param(doc="folder of the model, or its name on a hub")
        max: int = param(64, min=1, max=4096, doc="tokens of an answer, at most")
        temperature: float = param(0.0, min=0, doc="0: the likeliest token; 1: as the model has it")
        seed: int = param(2023, min=0, doc="state of the random generator")
        dtype: Literal["float32", "bfloat16", "float16"] = param(
            "float32", doc="numbers the model computes in"
        )
        chat_template: bool | None = param(
            None, doc="ask as the model's own chat template does; none: where it has one"
        )
        batch: int = param(16, min=1, runtime=True, doc="prompts answered together")

    example = 'LM("models/my-model", max=40)'


@operator("writer", "API", primary="name")
class API:
    """A model behind an interface as OpenAI's chat completions. The key is read from a variable of
    the environment and stands in no spec, log or bundle."""

    class Config:
        name: str = param(doc="the model, as the server calls it")
        base: str = param(doc="address before /chat/completions, such as http://127.0.0.1:8000/v1")
        max: int = param(256, min=1, max=100_000, doc="tokens of an answer, at most")
        temperature: float = param(0.0, min=0, doc="0: the likeliest token; 1: as the model has it")
        seed: int = param(2023, min=0, doc="state of the server's random generator, if it has one")
        key: str = param(
            "LEGOC_API_KEY", runtime=True, doc="variable of the environment that holds the key"
        )
        concurrency: int = param(4, min=1, max=256, runtime=True, doc="questions open at a time")
        timeout: Duration = param(60.0, above=0, runtime=True, doc="for one answer")
        retries: int = param(5, min=0, max=20, runtime=True, doc="times a failed question is sent")
        rate: float | None = param(None, above=0, runtime=True, doc="questions a minute, at most")
        price_read: float = param(0.0, min=0, runtime=True, doc="price of a million tokens read")
        price_written: float = param(
            0.0, min=0, runtime=True, doc="price of a million tokens written"
        )

    example = 'API("my-model", base="http://127.0.0.1:8000/v1")'
