"""Imported before numpy: its matrix products then stay on the thread that asks for them.

OpenBLAS starts a thread for each core when it is loaded, and lets them spin after every product, however small. The
features of a model took eight times the CPU for it. Whoever sets the variable is not overruled.
"""

import os
from typing import Final

VARIABLE: Final = "OPENBLAS_NUM_THREADS"

os.environ.setdefault(VARIABLE, "1")
