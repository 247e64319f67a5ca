"""Trained model -> proved ONNX graphs -> bundle.

`export` works on a run, `write_bundle` on a model and its prepared data, `verify_bundle` checks a
bundle again.
"""

from legoc.exporting.bundle import Bundle, write_bundle
from legoc.exporting.public import export
from legoc.exporting.record import record_metrics
from legoc.exporting.verify import CertificateReport, verify_bundle


__all__ = [
    "Bundle",
    "CertificateReport",
    "export",
    "record_metrics",
    "verify_bundle",
    "write_bundle",
]
