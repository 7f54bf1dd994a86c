"""`python -m ivdlib` is the command `ivdlib`."""

import sys

from ivdlib.cli import main

sys.exit(main())
