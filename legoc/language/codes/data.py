"""Codes of raw data: what the files of a data set can be wrong about (E0620 and up)."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0620",
        title="a raw file is missing",
        explanation="A source reads the published files as they are and downloads nothing. The "
        "message names the file it looked for and the publisher's page.",
        bad='data mind { source = MIND("no/such/folder") }',
        good='data mind { source = MIND("raw/MINDsmall") }  # holds train/news.tsv and so on',
    ),
    Code(
        code="E0621",
        title="a raw file has another layout",
        explanation="A row has other columns than the publisher's. Nothing is guessed: the message "
        "names file, line and column.",
        bad="a line of behaviors.tsv with four columns",
        good="1<TAB>U1<TAB>11/11/2019 9:05:58 AM<TAB>N1 N2<TAB>N3-1 N4-0",
    ),
    Code(
        code="E0622",
        title="a raw file cannot be read to its end",
        explanation="The file is not UTF-8 text, or a gzip file that is damaged or breaks off. Of "
        "one that breaks off, `--keep-truncated` reads what is whole: the file is counted among "
        "what was dropped, and `--strict` refuses it.",
        bad="a news.tsv.gz whose download was interrupted",
        good="the publisher's file, unchanged",
    ),
    Code(
        code="E0623",
        title="a split has no training rows",
        explanation="The split leaves nothing to train on, or the parts it needs are not there.",
        bad="data mind { split = publisher }  # with train/ alone",
        good="data mind { split = time }",
    ),
    Code(
        code="E0624",
        title="part of the data record is not supported by this version",
        explanation="The field is part of the language, but no code of this version reads it. It "
        "is refused instead of being ignored.",
        bad="data mind_people = mind(user=[age])",
        good="data mind_people = mind",
    ),
    Code(
        code="E0625",
        title="the raw files hold no items or no rows",
        explanation="After every bad row was dropped nothing is left. The counts in the message "
        "say why.",
        bad="a behaviors.tsv whose candidates are in no news.tsv",
        good="news.tsv and behaviors.tsv of the same archive",
    ),
    Code(
        code="E0626",
        title="a tokenizer file cannot be used",
        explanation="The file is missing, or not a `tokenizer.json` of the library "
        "`tokenizers`, or its id 0 is a word where the token table has its padding.",
        bad='data mind { tokenizer = file("vocab.txt") }',
        good='data mind { tokenizer = file("tokenizer.json") }',
    ),
    Code(
        code="E0627",
        title="there is nothing to draw training rows from",
        explanation="A task needs clicks in the training part, and items to draw negatives from.",
        bad="a train/behaviors.tsv without one candidate ending in -1",
        good="raw files with clicks",
    ),
    Code(
        code="E0628",
        title="the items have no such attribute",
        explanation="`content` names an attribute that the tables of the source do not hold.",
        bad="data demo { source = Demo content = [headline] }",
        good="data demo { source = Demo content = [title] }",
    ),
    Code(
        code="E0629",
        title="a row is not as it should be, and `--strict` accepts none",
        explanation=(
            "Public logs name items that no item table has, and repeat ids. Such rows are dropped "
            "or mended by the policy printed beside them, and counted; with `--strict` the first "
            "kind is an error, with the place of its first row, and the notes count the others."
        ),
        bad="legoc train naml.lego --strict    # behaviors.tsv names an item that news.tsv lacks",
        good="legoc data naml.lego    # prints every reason with its count and first places",
    ),
    Code(
        code="E0630",
        title="the values of a column have no one meaning",
        explanation=(
            "Times, labels and ratings mean the same in every row of a column, so they are judged "
            "as a whole: one unit for all numbers, one order of day and month, and no more than "
            "every tenth value may be unreadable. The message shows three of the values and the "
            "forms that are read; `time_unit` and `time_format` of `Tables` say what is meant. "
            "Ids are refused where several of them are one value, as floats beyond 2^53 are."
        ),
        bad="a column `time` of seconds in some rows and milliseconds in others",
        good='source = Tables("shop", time_unit="seconds")',
    ),
    Code(
        code="E0631",
        title="`context` needs times, and the log has none",
        explanation=(
            "Numbers of the moment, such as `popularity(hours=24)`, are of what happened before "
            "it. Some logs have no times, only the order of each user's list or of the rows of a "
            "file; an hour means nothing there."
        ),
        bad='data pog { source = POG("raw/pog") context = [popularity(hours=24)] }',
        good='data mind { source = MIND("raw/MINDsmall") context = [popularity(hours=24)] }',
    ),
    Code(
        code="E0632",
        title="`share` needs clicks among showings, and all rows of the log are alike",
        explanation=(
            "`share` is the share of an item's showings that was clicked. Showings are the rows of "
            "a log that tell what was offered and whether it was clicked: impressions, or ratings "
            "above and below the neutral one. Where every row is a click, non-clicks are drawn, "
            "which were shown to nobody, and every share would be the same. `popularity` counts "
            "clicks alone. Where no row is a click, no share is above 0, and a label or `neutral` "
            "of the source is not what was meant."
        ),
        bad='data songs { source = MicroLens("raw") context = [share(hours=24)] }',
        good='data songs { source = MicroLens("raw") context = [popularity(hours=24)] }',
    ),
    Code(
        code="E0634",
        title="a count that fades needs the times of clicks",
        explanation=(
            "`predict Popularity(hours=24)` lets a click count less the older it is, so the source "
            "has to know when each click was. Where it knows an order alone, such as the place in "
            "a user's list, or a row has no time, the age of a click cannot be told."
        ),
        bad='data songs { source = LastFM("raw/hetrec") }  # predict Popularity(hours=24)',
        good='data songs { source = LastFM("raw/hetrec") }  # predict Popularity',
    ),
    Code(
        code="E0635",
        title="a catalogue has more items than a predictor counts",
        explanation=(
            "`predict ItemKNN` keeps the numbers of neighbouring items in float32 beside their "
            "similarities, and float32 holds whole numbers up to 16,777,216."
        ),
        bad="predict ItemKNN    # 20 million items",
        good="predict Popularity",
    ),
    Code(
        code="E0545",
        title="data that RecBench's files cannot tell",
        explanation=(
            "A RecBench folder has one history for each user, and says by user who is valid. "
            "`legoc data FILE --recbench FOLDER` writes data of that form alone: those of "
            "`split = recbench`, or others whose users have one history. Ids stand one a line, and "
            "an attribute called `click` or `prompt` would be taken for something else."
        ),
        bad="legoc data news.lego --recbench out    # split = time",
        good="legoc data news.lego --recbench out --set 'data.split=recbench(test=20k)'",
    ),
    Code(
        code="E0546",
        title="several data sets for one folder",
        explanation=(
            "`legoc data FILE --recbench FOLDER` writes one data set. Points that read the same "
            "rows count as one, whatever they read of the items."
        ),
        bad="legoc data specs/recbench.lego --recbench out",
        good="legoc data specs/recbench.lego --recbench out --only data=cds",
    ),
    Code(
        code="E0547",
        title="an order of users of other data",
        explanation=(
            "`order` of `split = recbench` names a `user_order.txt`, one user a line. None of its "
            "users has rows in this data, so it is the file of another data set, or the ids are "
            "written in another way."
        ),
        bad='split = recbench(order="cds/user_order.txt")    # source = Yelp("raw/yelp")',
        good='split = recbench(order="yelp/user_order.txt")',
    ),
)
