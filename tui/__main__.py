"""`python -m fleettop.tui`."""

import sys

from .cli import main

sys.exit(main())
