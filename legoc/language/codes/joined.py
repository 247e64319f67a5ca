"""Codes of what a data record brings beside its source: tables, word vectors, its page (E064x)."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0640",
        title="an augmenting table cannot be joined",
        explanation="Each table of `augment` carries one key column, `item_id` or `user_id`, and "
        "attributes beside it, as .parquet, .csv, .tsv or .jsonl; logs of generated text (.log) "
        "are read as they were published. Rows of unknown items join nothing and are counted; a "
        "file that is missing, broken or without a key is an error.",
        bad='data mind_gpt = mind(augment="titles.csv")  # its columns: nid, gen_title',
        good='data mind_gpt = mind(augment="titles.csv")  # its columns: item_id, gen_title',
    ),
    Code(
        code="E0641",
        title="word vectors cannot be used",
        explanation="`vectors` names a text file as GloVe, word2vec and fastText publish it: a "
        "word and its numbers on each line, all of one width, separated by blanks; a first line "
        "with the "
        "count and the width is accepted, and so is a file packed by gzip, bzip2, xz or alone "
        "in a zip. Bad lines are counted; a file without one good line, or of words the "
        "vocabulary does not hold, is an error. Or it names the folder of a language model in "
        "the form of transformers, or its name on a hub (`OWNER/NAME`): of its weights the "
        "token table is read, and a word has the mean of the vectors of the tokens it is spelt "
        "with. `tokenizer = words(more=20k)` takes up words of the vectors that no training "
        "item holds.",
        bad='data mind { vectors = "GoogleNews-vectors-negative300.bin" }',
        good='data mind { vectors = "glove.6B.300d.txt" }',
    ),
    Code(
        code="E0642",
        title="the page of the data cannot be written",
        explanation="`legoc data --page FILE` writes one HTML file into a folder that exists.",
        bad="legoc data naml.lego --page no/such/folder/data.html",
        good="legoc data naml.lego --page data.html",
    ),
)
