"""Codes of the language server."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0290",
        title="a name that cannot be changed",
        explanation=(
            "An editor can change the name of a declaration, a param or the prefix of a file, "
            "everywhere it is used. It refuses where nothing of that sort stands, where the new "
            "name is no name, and where a file with a syntax error may hide a use."
        ),
        bad="model naml = content CNN -> behavior Additive -> predict Dot    # to `2naml`",
        good="model naml = content CNN -> behavior Additive -> predict Dot    # to `naml2`",
    ),
    Code(
        code="E0291",
        title="the language server is not installed",
        explanation=(
            "`legoc lsp` speaks the language server protocol with the help of pygls, which comes "
            "with the extra `lsp`. Everything else works without it."
        ),
        bad="legoc lsp    # after `pip install legoc`",
        good="pip install 'legoc[lsp]'",
    ),
)
