"""`python -m tfstyle`."""

import sys

from tfstyle.cli.main import main

sys.exit(main())
