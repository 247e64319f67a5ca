"""Codes of pre-trained language models: E0650 and on."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0650",
        title="a language model is not on this machine",
        explanation=(
            "`path` names a folder that does not exist, or a model of a hub that is neither in "
            "the local cache nor can be fetched: there is no network, the name is unknown there, "
            "or it asks for a licence to be accepted first."
        ),
        bad='content BERT(path="no/such/folder") -> behavior Additive -> predict Dot',
        good='content BERT(path="models/bert-base-uncased") -> behavior Additive -> predict Dot',
    ),
    Code(
        code="E0651",
        title="the folder of a language model is not whole",
        explanation=(
            "A model's folder holds `config.json`, its weights as `*.safetensors` and "
            "`tokenizer.json`, as `save_pretrained` of transformers writes them. The message names "
            "what is missing or cannot be read. Weights of another form are not opened: pickles "
            "can run code."
        ),
        bad="a folder with config.json alone",
        good="model.save_pretrained(folder); tokenizer.save_pretrained(folder)",
    ),
    Code(
        code="E0652",
        title="a tokenizer does not fit its language model",
        explanation=(
            "The tokenizer has ids for which the model has no embedding, so it belongs to another "
            "model, or the model was saved before its vocabulary was enlarged."
        ),
        bad="tokenizer.json of BERT beside the weights of a model of 1,000 tokens",
        good="the tokenizer.json that was published with the weights",
    ),
    Code(
        code="E0653",
        title="an item is longer than a language model reads",
        explanation=(
            "Prompts and attributes together may have more tokens than the model has positions. "
            "Nothing is cut behind your back: keep fewer tokens of an attribute."
        ),
        bad="data long { content = [title(600)] }  # for a model of 512 positions",
        good="data long { content = [title(400)] }",
    ),
    Code(
        code="E0654",
        title="a state of a language model is not finite",
        explanation=(
            "The frozen layers gave infinity or NaN for the item that the message names. Most "
            "often the number type of the states is too narrow: float16 ends at 65,504."
        ),
        bad="content OPT(split=-2, states=float16) -> behavior Additive -> predict Dot",
        good="content OPT(split=-2, states=bfloat16) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0655",
        title="the weights do not make this language model",
        explanation=(
            "The files of the folder lack weights of the model that its `config.json` describes, "
            "or describe a model that transformers has no code for. Code from the folder itself is "
            "never run."
        ),
        bad="config.json of a model with 12 layers beside the weights of 6",
        good="the files of one model, as they were published",
    ),
    Code(
        code="E0656",
        title="a language model cannot be split or adapted so",
        explanation=(
            "`split` and `side` need the blocks of the model in one list, and `lora` needs the "
            "Linears it names in them. The message says which were found."
        ),
        bad='content BERT(lora=LoRA(targets=["q_proj"])) -> behavior Additive -> predict Dot',
        good='content BERT(lora=LoRA(targets=["query"])) -> behavior Additive -> predict Dot',
    ),
    Code(
        code="E0657",
        title="a language model is not the one of the training",
        explanation=(
            "A run stores what it trained; the frozen weights stay in the folder of the language "
            "model. That folder holds other weights now, so the two do not belong together."
        ),
        bad="a model folder replaced after `legoc train`",
        good="the folder as it was, or the spec trained again",
    ),
    Code(
        code="E0658",
        title="there are no vectors to take from this",
        explanation=(
            "`legoc embed` writes what a language model makes of every item before any training, "
            "pooled by `cls`, `mean` or `last`, or the item vectors of a run or a bundle. So it "
            "needs one spec whose content is a language model, or a folder that a training wrote; "
            "attention pooling has weights that only training gives."
        ),
        bad="legoc embed bert.lego -o bert.safetensors  # content BERT: attention pooling",
        good="legoc embed bert.lego --pooling mean -o bert.safetensors",
    ),
    Code(
        code="E0659",
        title="a language model does not read an item's tokens alone",
        explanation=(
            "What a language model makes of an item has to follow from the item's tokens. Some "
            "models of transformers also want a decoder's text, an image or a language, and the "
            "states of some depend on the padding that stands beside an item in a batch, so that "
            "the same item would have other vectors in training than in an application. This is "
            "tried on the model itself before anything trains."
        ),
        bad='content LM("a model of the family FNet") -> behavior Additive -> predict Dot',
        good='content LM("a model of the family BERT") -> behavior Additive -> predict Dot',
    ),
)
