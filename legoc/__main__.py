"""`python -m legoc` is the command `legoc`."""

import sys

from legoc.cli import main


sys.exit(main())
