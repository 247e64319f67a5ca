"""From a spec to a torch model, and what that model costs."""

from legoc.model.compile import Compiled, compile
from legoc.model.cost import Cost, Table
from legoc.model.recommender import Recommender
from legoc.model.tensors import TensorBatch, to_tensors


__all__ = ["Compiled", "Cost", "Recommender", "Table", "TensorBatch", "compile", "to_tensors"]
