"""A Pygments lexer of .lego files, for documentation and terminals.

Registered under the entry-point group `pygments.lexers`; nothing else of legoc imports Pygments.
"""

import re

from pygments.lexer import RegexLexer, bygroups
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from legoc.language.syntax.textmate import rules


# The scopes of the TextMate grammar by what Pygments calls them.
TOKENS = {
    "comment.line.documentation.lego": Comment.Special,
    "comment.line.number-sign.lego": Comment.Single,
    "string.quoted.double.lego": String.Double,
    "constant.numeric.quantity.lego": Number,
    "constant.numeric.lego": Number,
    "variable.other.param.lego": Name.Variable,
    "keyword.operator.arrow.lego": Operator,
    "keyword.declaration.lego": Keyword.Declaration,
    "entity.name.type.lego": Name.Class,
    "variable.parameter.lego": Name.Attribute,
    "keyword.control.stage.lego": Keyword.Namespace,
    "keyword.control.lego": Keyword,
    "constant.language.lego": Keyword.Constant,
    "entity.name.function.lego": Name.Function,
    "variable.other.lego": Name,
    "keyword.operator.assignment.lego": Operator,
    "keyword.operator.range.lego": Operator,
    "punctuation.lego": Punctuation,
}
DECLARATION = "meta.declaration.lego"
DECLARED = bygroups(TOKENS["keyword.declaration.lego"], Whitespace, TOKENS["entity.name.type.lego"])


class LegoLexer(RegexLexer):
    """The .lego language."""

    name = "lego"
    aliases = ("lego",)
    filenames = ("*.lego",)
    flags = re.MULTILINE
    tokens = {  # noqa: RUF012 - a Pygments lexer is a class with this attribute
        "root": [
            (r"[ \t\r\n\f]+", Whitespace),
            *(
                (pattern, DECLARED if scope == DECLARATION else TOKENS[scope])
                for scope, pattern, _ in rules()
            ),
        ]
    }
