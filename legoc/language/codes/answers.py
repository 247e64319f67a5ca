"""Codes of language models that are asked about a history and a candidate: E0633, and E0636 to
E0639."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0633",
        title="a model of a file has to be trained first",
        explanation=(
            "`legoc eval FILE` evaluates the models of a file as they are: language models that "
            "are only asked, with `epochs = 0`, and predictors that are counted. What trains is "
            "evaluated by `legoc train`, and again by `legoc eval RUN`."
        ),
        bad="legoc eval nrms.lego",
        good="legoc train nrms.lego",
    ),
    Code(
        code="E0636",
        title="a prompt does not fit",
        explanation=(
            "The words around clicks and candidate, one click and a candidate have more tokens "
            "than `limit` allows or the model reads. Where several clicks are too many, the newest "
            "that fit are kept and nothing is said; there has to be room for one."
        ),
        bad='flatten LM("models/tiny", prompt=recbench, limit=20) -> predict YesNo',
        good='flatten LM("models/tiny", prompt=recbench, limit=1024) -> predict YesNo',
    ),
    Code(
        code="E0637",
        title="an answer is no token of the model",
        explanation=(
            "An answer is scored by the one token that it is in the model's own vocabulary. A word "
            "that the tokenizer does not know, cuts into several, or reads as the same token as an "
            "answer of the other side has no such score. The message shows what the tokenizer "
            "makes of it."
        ),
        bad='predict YesNo(yes=["certainly so"], no=["NO"])',
        good='predict YesNo(yes=["YES", "Yes", " Yes"], no=["NO", "No", " No"])',
    ),
    Code(
        code="E0638",
        title="a model has no chat template",
        explanation=(
            "`chat_template` puts the prompt into the form in which an instruct model was taught "
            "to be talked to. It stands in `chat_template.jinja` or `tokenizer_config.json` of the "
            "model's folder; base models have none."
        ),
        bad='flatten LM("models/base", prompt=recbench(chat_template=true)) -> predict YesNo',
        good='flatten LM("models/base", prompt=recbench) -> predict YesNo',
    ),
    Code(
        code="E0639",
        title="a model cannot answer",
        explanation=(
            "`predict YesNo` reads the clicks once and each candidate after them, which a causal "
            "model with attention in every block can do. One that reads in both directions, such "
            "as BERT, or writes a text of its own, such as T5, reads each pair whole; that it is "
            "one its `config.json` says, which has to be on this machine when the file is checked. "
            "One that keeps a running state, such as Mamba, or has no head that tells a word, does "
            "neither. It is tried when the model is built: reading in two parts has to give the "
            "logits of reading at once."
        ),
        bad='flatten LM("models/mamba", prompt=recbench) -> predict YesNo',
        good='flatten LM("models/mamba", prompt=recbench, pooling=mean) -> predict Cosine',
    ),
)
