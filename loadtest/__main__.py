"""``python -m loadtest``."""

import sys

from loadtest.command import execute

if __name__ == "__main__":
    sys.exit(execute(sys.argv[1:]))
