"""Imported before onnxruntime: it then tells nobody that it is used.

Importing version 1.31.1 starts threads that look up a host of its maker, to send it telemetry; its own function for
switching that off comes too late (seen with strace; with the variable there is neither). Whoever sets the variable is
not overruled.
"""

import os
from typing import Final

VARIABLE: Final = "ORT_DISABLE_TELEMETRY"

os.environ.setdefault(VARIABLE, "1")
