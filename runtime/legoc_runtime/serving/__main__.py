import sys

from legoc_runtime.serving.command import main


sys.exit(main())
