"""MiniStack, until standard input closes: however the process ends that started it, it saves its state and ends too."""

import os
import signal
import threading

from ministack.app import main
from ministack.services import lambda_svc

restore_positions = lambda_svc._restore_esm_positions


def restore_but_streams(store, positions):
    # a table's stream begins anew with the process: at the place that was saved its reader would wait for as many
    # records as there were before, and nothing would wake the relay until then
    if store is not lambda_svc._dynamodb_stream_positions:
        restore_positions(store, positions)


lambda_svc._restore_esm_positions = restore_but_streams

# for so long nobody is called after a wake for which there was nothing, and the end of each batch is such a wake: at
# 50 ms most of a steady trickle waits 20 ms at each of its queues. Named twice, so that it fails where it is gone
lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = min(lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS, 0.005)


def end_with_starter():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_starter, daemon=True).start()
main()
