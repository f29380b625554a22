"""MiniStack, until standard input closes: however the process ends that started it, it saves its state and ends too."""

import os
import signal
import threading

from ministack.app import main


def end_with_starter():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_starter, daemon=True).start()
main()
