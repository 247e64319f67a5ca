"""Any language model, by its folder or its name."""

from legoc.language.declaring.declare import Model, operator, param
from legoc.operators.content.language_model import LanguageModel
from legoc.operators.content.model_settings import SIGNATURE, Settings
from legoc.operators.content.published import ABOVE


@operator(
    "content", "LM", SIGNATURE, layout="sequence", pretrained=True, primary="path", facts=ABOVE,
    paper="Wolf et al., Transformers: State-of-the-Art Natural Language Processing, EMNLP 2020",
)  # fmt: skip
class LM(LanguageModel):
    """Any model that transformers has code for as the encoder of items, by its folder or its name
    on a hub. Of a model that also decodes, the encoder alone."""

    class Config(Settings):
        path: Model = param(doc="folder of the model, or its name on a hub")

    example = 'content LM("models/my-model", split=-2, lora=8)'
