"""Which threads give way to which, where there are fewer cores than want to work."""

import os
import sys
import threading
from typing import Final

OF_WORKERS: Final = 10
"""They get a tenth of a core that somebody else wants, too. With more workers than cores left beside the event loop it
took its turns by turns with them, and speech was heard late while they waited for it."""

OF_PATIENT: Final = 19
"""Of whatever makes interims, or deals with what was recorded: an eighth of a core that a worker wants, too."""


def give_way(niceness: int) -> None:
    """Let this thread yield to those that hear and store: they have little to do, and everybody waits for it."""
    if sys.platform == "linux":  # elsewhere there is a priority of the process only
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
