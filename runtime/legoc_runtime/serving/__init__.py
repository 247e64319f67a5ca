"""A bundle over HTTP: `legoc serve BUNDLE`, or `python -m legoc_runtime.serving BUNDLE`.

For others: `app`, `command`, `limits`. Needs the extra `legoc-runtime[serve]`.
"""
