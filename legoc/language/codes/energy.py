"""Codes of electricity and of published figures: E0585 to E0587."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0585",
        title="nothing to measure electricity with",
        explanation=(
            "`--energy measured` asks codecarbon, which comes with the extra `carbon`. It is not "
            "installed, or does not start on this machine. Without it the electricity of a "
            "training is estimated from the seconds its cores work."
        ),
        bad="legoc train naml.lego --energy measured    # after `pip install legoc`",
        good="pip install 'legoc[carbon]'",
    ),
    Code(
        code="E0586",
        title="electricity of different grids",
        explanation=(
            "Runs record the grams of CO2e per kWh that they count with. Those of a table count "
            "with different ones, as runs of different places do; one column would then tell of "
            "places instead of models."
        ),
        bad="legoc table naml.lego nrms.lego --energy",
        good="legoc table naml.lego nrms.lego --energy --carbon 475",
    ),
    Code(
        code="E0587",
        title="not a file of published figures",
        explanation=(
            "Figures that stand beside those of a table are a CSV in UTF-8 with the columns "
            "`row`, `metric` and `value`. A row has the name of a row of the table, a metric the "
            "name that the table has for it; each pair stands there once, and lines that begin "
            "with `#` are comments."
        ),
        bad="row,GAUC\nnaml,0.6175",
        good="row,metric,value\nnaml,GAUC,0.6175",
    ),
)
