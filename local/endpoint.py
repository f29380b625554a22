"""MiniStack, until standard input closes: however the process ends that started it, it saves its state and ends too."""

import itertools
import os
import signal
import threading
import time

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc, sqs

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

# Lambda reports apart from the duration what it took to begin a process. Here that is a second or three and counted in:
# a few of them in a window made its mean another by a quarter. An invocation keeps to one thread from beginning to report
begun = threading.local()
spawn, emit_logs = lambda_runtime.Worker._spawn, lambda_svc._emit_lambda_logs
append_events = cloudwatch_logs._append_log_events


def spawn_timed(worker):
    since = time.monotonic()
    spawn(worker)
    begun.ms = int((time.monotonic() - since) * 1000)


def emit_logs_with_init(func, request_id, log_text, error, duration_ms, *, log_source=None):
    try:
        emit_logs(func, request_id, log_text, error, max(0, duration_ms - getattr(begun, "ms", 0)), log_source=log_source)
    finally:
        begun.__dict__.clear()


def append_with_init(stream, events):
    if hasattr(begun, "ms"):
        for event in events:
            if event["message"].startswith("REPORT RequestId: "):
                event["message"] += f"\tInit Duration: {begun.ms} ms"
    return append_events(stream, events)


lambda_runtime.Worker._spawn = spawn_timed
lambda_svc._emit_lambda_logs = emit_logs_with_init
cloudwatch_logs._append_log_events = append_with_init

# a receive looks four times at every message that waits: of 90,000 about 25 a second were handled
collect, expire, expired_at = sqs._collect_msgs, sqs._expire_retained, {}


def collect_head(queue, most, visibility):
    if queue["is_fifo"]:
        return collect(queue, most, visibility)
    now = time.time()
    visible = (message for message in queue["messages"] if message.get("visible_at", 0) <= now)
    return collect({**queue, "messages": list(itertools.islice(visible, most))}, most, visibility)


def expire_each_second(queue):
    now, name = time.monotonic(), queue["attributes"]["QueueArn"]
    if now - expired_at.get(name, 0) >= 1:
        expired_at[name] = now
        expire(queue)


sqs._collect_msgs = collect_head
sqs._expire_retained = expire_each_second


def end_with_starter():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_starter, daemon=True).start()
main()
