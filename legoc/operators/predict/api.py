"""A model behind an interface that is asked whether a user likes an item."""

from legoc.language.declaring.declare import Operator, Quantity, operator, param


Prompt = Operator["prompt"]
Duration = Quantity["duration"]


@operator(
    "predict", "API", "(Seq[Tokens], Tokens) -> Score", primary="name",
    tasks=("ranking", "matching"), facts={"asks": "chat completions"},
    paper="Liu et al., Can LLMs Outshine Conventional Recommenders? A Comparative Evaluation, "
    "NeurIPS 2025",
)  # fmt: skip
class API:
    """A server of OpenAI's chat completions is asked about every pair: Yes or No.

    It stands alone, without content and behavior, and is asked, not trained and not exported:
    `legoc eval FILE` and `legoc train FILE` measure it. The request of the prompt is the system
    message; the clicks, the candidate and the question are the user's. Where the server tells the
    log-probabilities of its first token, the score is log P(yes) - log P(no), else 1 for a reply
    that says yes, -1 for no and 0 for neither. The key is read from a variable of the environment
    and stands in no spec, log or message; every answer is kept, and nothing is asked twice.
    """

    class Config:
        name: str = param(doc="the model, as the server calls it")
        base: str = param(doc="address before /chat/completions, such as http://127.0.0.1:8000/v1")
        prompt: Prompt | None = param(
            None, doc="the words around clicks and candidate; none: the long request of RecBench"
        )
        yes: list[str] = param(["YES"], doc="spellings of the answer yes")
        no: list[str] = param(["NO"], doc="spellings of the answer no")
        chances: int = param(
            20, min=0, max=20, doc="log-probabilities asked of the first token; 0: the reply alone"
        )
        max: int = param(8, min=1, max=100_000, doc="tokens of an answer, at most")
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

    example = 'predict API("my-model", base="http://127.0.0.1:8000/v1")'
