"""`python -m cicd_agents` is the command line."""

import sys

from cicd_agents.cli import main

sys.exit(main())
