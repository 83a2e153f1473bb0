"""How the Python programs tell their story: one JSON line a step, and what the records of it are."""

import json
import sys
import time
import traceback

RECORDS = 60
PARTITIONS = 3
FIRST_TIMESTAMP = 1_700_000_000_000


class Absent(Exception):
    """The client cannot take this step."""


def tell(step, act):
    try:
        line = act()
    except Absent as absent:
        line = {"absent": str(absent)}
    except Exception:
        line = {"error": traceback.format_exc()}
    sys.stdout.write(json.dumps({"step": step, **line}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def record(i):
    """Key, value, timestamp in ms, headers."""
    return (
        None if i % 10 == 9 else f"key-{i % 7}".encode(),
        None if i % 20 == 5 else f"value {i} ü".encode(),
        FIRST_TIMESTAMP + i * 1000,
        [("index", str(i).encode()), ("empty", b"")] if i % 2 == 0 else [],
    )


def read_record(partition, offset, key, value, timestamp, headers):
    text = lambda data: None if data is None else data.decode()
    return [partition, offset, text(key), text(value), timestamp, {name: text(content) for name, content in headers or []}]


def until(what, poll, seconds=30):
    """Calls poll until it gives something else than None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = poll()
        if found is not None:
            return found
    raise TimeoutError(f"{what} did not happen in {seconds} s")
