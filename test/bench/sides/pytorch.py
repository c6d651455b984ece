"""torch as a side of the benchmark: as side.mjs, with one line of JSON a message. A row names a function of rows/NAME.py,
which gives a function that makes one call."""

import importlib.util
import json
import os
import sys
import time

import torch

torch.set_num_threads(1)
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rows")


def sample(call, milliseconds, clock):
    times, count, begin = [], 1, time.perf_counter()
    while True:
        start = clock()
        for _ in range(count):
            call()
        took = (clock() - start) * 1e3
        times.append(took / count)
        if took < 0.5:
            count *= 2
        passed = (time.perf_counter() - begin) * 1e3
        if passed >= milliseconds and (len(times) >= 3 or passed >= 4 * milliseconds):
            return times


def opening(call, milliseconds, clock):
    times, begin = [], time.perf_counter()
    while len(times) < 10 and (time.perf_counter() - begin) * 1e3 <= milliseconds:
        start = clock()
        call()
        times.append((clock() - start) * 1e3)
    return times


def opened(file, make, arguments):
    spec = importlib.util.spec_from_file_location(file, os.path.join(ROWS, f"{file}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, make)(*arguments)


current = None
for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"]}
    try:
        clock = CLOCKS[request["clock"]]
        if request["what"] == "open":
            current = opened(request["file"], request["make"], request["arguments"])
            answer["opening"] = opening(current, 10 * request["milliseconds"], clock)
        else:
            answer["times"] = sample(current, request["milliseconds"], clock)
    except Exception as error:  # told to the run, which goes on
        answer["error"] = str(error) or type(error).__name__
    print(json.dumps(answer), flush=True)
