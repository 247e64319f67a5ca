"""Codes of generated text: E0920 to E0933, and of models that are asked: E0875, E0876."""

from legoc.language.codes import Code


DATA = "data news { source = Demo }\n"
MODEL = '  model = LM("models/qwen")'

CODES = (
    Code(
        code="E0920",
        title="a generation of several things",
        explanation="A `generate` asks one model one task about one data set, so that what it "
        "writes is one file. None of its fields is an axis, and neither is anything in the data "
        "it names. Declare one for each, and sweep over `augment` where they are read.",
        bad=f"{DATA}generate titles {{ of = news\n  task in [Summarise(from=[title], to=a), "
        f"Summarise(from=[abstract], to=a)]\n{MODEL} }}",
        good=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=a)\n"
        f"{MODEL} }}",
    ),
    Code(
        code="E0921",
        title="an attribute that a model cannot be shown",
        explanation="`from` names attributes of the items of `of`, `profile` attributes of its "
        "users, those of joined tables included. At least one must be named in `from`.",
        bad=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[titel], to=newtitle)\n"
        f"{MODEL} }}",
        good=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=newtitle)\n"
        f"{MODEL} }}",
    ),
    Code(
        code="E0922",
        title="what is written is there already",
        explanation="`to` is a new attribute: of the items for `Summarise`, of the users for "
        "`Profile`. Under a name of its own it can be read beside what it was written from, and "
        "nobody takes one for the other.",
        bad=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=title)\n"
        f"{MODEL} }}",
        good=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=newtitle)\n"
        f"{MODEL} }}",
    ),
    Code(
        code="E0923",
        title="something that cannot be written",
        explanation="An invented item has attributes that the items have: a title, and of "
        "abstract, description and category those that are there. A topic of a closed list is a "
        "text that is not empty.",
        bad=f"{DATA}generate more {{ of = news\n  task = Invent(from=[title], write=[category])\n"
        f"{MODEL} }}",
        good=f"{DATA}generate more {{ of = news\n  task = Invent(from=[title], "
        f"write=[title, category])\n{MODEL} }}",
    ),
    Code(
        code="E0924",
        title="a prompt that cannot be filled",
        explanation="`prompt` names a text file in UTF-8 with at least one `{field}`: for "
        "`Summarise` an attribute of `from` or all of them as `{item}`; for `Profile` "
        "`{history}`, `{topics}`, `{most}`; for `Invent` `{history}`, `{profile}`, "
        "`{categories}`. A line `---` parts the system message above from the question below. "
        "Other braces stand for themselves.",
        bad="Rewrite this title: {titel}",
        good="Rewrite this title: {title}",
    ),
    Code(
        code="E0925",
        title="an address or a key that is none",
        explanation="`base` of `API` is the address before `/chat/completions`, with http:// or "
        "https:// and without a name, a key or a question in it. `key` names the variable of the "
        "environment that holds the key; the key itself stands in no file.",
        bad=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=newtitle)\n"
        '  model = API("small", base="127.0.0.1:8000") }',
        good=f"{DATA}generate titles {{ of = news\n  task = Summarise(from=[title], to=newtitle)\n"
        '  model = API("small", base="http://127.0.0.1:8000/v1") }',
    ),
    Code(
        code="E0926",
        title="text that is not generated yet",
        explanation="`augment` names a `generate` whose file is not there, because no model was "
        "asked, because some questions have no answer yet, or because its prompt, its model or "
        "its data are others now. `legoc generate FILE` asks what is missing; answers to the same "
        "question by the same model are kept and not asked for again.",
        bad="legoc train news.lego",
        good="legoc generate news.lego && legoc train news.lego",
    ),
    Code(
        code="E0927",
        title="a language model that cannot answer",
        explanation="`LM` of `generate` is a causal model saved with its head, with room for the "
        "prompt and `max` tokens behind it: texts are cut and old clicks left out until there is "
        "room, and where there is none for the shortest of them it is said. "
        "`chat_template=true` wants a model that has one.",
        bad='model = LM("models/bert")',
        good='model = LM("models/qwen")',
    ),
    Code(
        code="E0928",
        title="a server that does not answer",
        explanation="A question that gets no answer (nobody listens, nothing within `timeout`, "
        "status 429 or 5xx, half an answer, nonsense) is sent again up to `retries` times, with "
        "longer and longer waits or as `Retry-After` says. Where three questions in a row get "
        "none, the command ends. What was answered until then is kept.",
        bad='model = API("small", base="http://127.0.0.1:1/v1")',
        good='model = API("small", base="http://127.0.0.1:8000/v1")',
    ),
    Code(
        code="E0929",
        title="a server that refuses",
        explanation="The server knows neither the key nor the model, or there is no such server "
        "or path. Asking again does not help. The key is read from the variable that `key` names, "
        "`LEGOC_API_KEY` unless it says otherwise.",
        bad='model = API("smal", base="http://127.0.0.1:8000/v1")',
        good='model = API("small", base="http://127.0.0.1:8000/v1")',
    ),
    Code(
        code="E0930",
        title="no answer of the form asked for",
        explanation="Answers of another form are counted, asked for once more and then left out. "
        "Where none is left, nothing is written. Small models often need a prompt that shows the "
        "form by an example.",
        bad="legoc generate news.lego    # a model that answers in prose",
        good='task = Profile(from=[title], to=topics, prompt="with_an_example.txt")',
    ),
    Code(
        code="E0931",
        title="two processes ask the same",
        explanation="The journal of a generation is written by one process at a time, so that "
        "nothing is asked twice.",
        bad="legoc generate news.lego & legoc generate news.lego",
        good="legoc generate news.lego",
    ),
    Code(
        code="E0932",
        title="nobody to ask about",
        explanation="Of a user a model reads clicks from before all rows of that user "
        "(`until=first`), and `Invent` reads users with 1 to 5 of them. In a log of clicks every "
        "click is a row of its own, so nothing lies before the first: `until=test` reads the "
        "clicks before the first row that does not train. An item without a value in `from` is "
        "not asked about. `--only` names a `generate` of the file.",
        bad="task = Profile(from=[title], to=topics)",
        good="task = Profile(from=[title], to=topics, until=test)",
    ),
    Code(
        code="E0933",
        title="what the published form cannot hold",
        explanation="`--published FOLDER` writes logs as they were published with GENRE, whose "
        "ids are letters, digits and `_`. The file that `augment` reads takes any id.",
        bad="legoc generate shop.lego --published logs    # with ids such as `tt-12`",
        good="legoc generate shop.lego",
    ),
    Code(
        code="E0875",
        title="a model that is not here",
        explanation="`predict API` is a model behind an interface: it is asked about each pair, "
        "and what answers lies on another machine. There is nothing to compile, to train or to "
        "export, and the whole catalogue is not asked about for every list. `legoc train` and "
        "`legoc eval` measure it.",
        bad='legoc compile asked.lego    # model asked = predict API("small", base="http://...")',
        good="legoc eval asked.lego",
    ),
    Code(
        code="E0876",
        title="a prompt that a server cannot be given",
        explanation="The texts of a prompt are sent as messages, and the server puts them into the "
        "chat template of its model. The marks of E5 belong to vectors.",
        bad=f'{DATA}model asked = predict API("small", base="http://127.0.0.1:8000/v1", '
        "prompt=recbench(chat_template=true))\nrun asked on news",
        good=f'{DATA}model asked = predict API("small", base="http://127.0.0.1:8000/v1", '
        "prompt=recbench(form=chat))\nrun asked on news",
    ),
)
