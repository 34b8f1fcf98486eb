"""What running Baton costs: start, idle processors, memory, the router's share. Figures in seconds and bytes are
printed as they are, beside the bars that a calm machine of two cores must meet (docs/performance.md); asserted
is what holds on a busy machine too."""
import contextlib
import http.client
import json
import os
import re
import statistics
import time
import unittest

from cluster import Cluster, recall_prompt

RECALL = "builtin:recall"
TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS = 10
MIB = 1024 * 1024


def processes(cluster):
    return {"up": cluster.process.pid, **cluster.workers}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status_of(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{key}:\s+(\d+)", file.read(), re.MULTILINE)[1])


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def show(what, figure, bar=None):
    print(f"    {what:<52}{figure}" + (f"   (bar {bar})" if bar else ""), flush=True)


class FirstChunks:
    """Streams short requests and times each one's first chunk, as a client does."""

    def __init__(self, cluster):
        self.port, self.seed = cluster.port, 0

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def seconds(self, connection=None):
        """Without a connection, on one of its own."""
        if connection is None:
            with contextlib.closing(self.connect()) as own:
                return self.seconds(own)
        self.seed += 1
        body = json.dumps({"prompt": recall_prompt(20, self.seed), "max_tokens": 2, "temperature": 0,
                           "stream": True})
        start = time.monotonic()
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        first = response.readline()
        seconds = time.monotonic() - start
        assert response.status == 200 and first.startswith(b"data: "), (response.status, first)
        response.read()
        return seconds


def bucket_of_median(cluster, name, **labels):
    """The upper edge of the bucket that holds a histogram's median, in seconds."""
    edges = {}
    for line in cluster.get("/metrics")[1].splitlines():
        if line.startswith(name + "_bucket{") and all(f'{k}="{v}"' in line for k, v in labels.items()):
            edges[float(re.search(r'le="([^"]+)"', line)[1])] = float(line.rsplit(" ", 1)[1])
    half = edges[float("inf")] / 2
    assert half > 0, f"nobody observed {name}{labels}"
    return min(edge for edge, count in edges.items() if count >= half)


RECALL_WEIGHT_BYTES = 2 * 12_900_000  # its parameters in bf16


class OperationsTest(unittest.TestCase):
    def test_an_idle_cluster_costs_little(self):
        with Cluster(model=RECALL) as cluster:
            show("baton up builtin:recall ready in", f"{cluster.ready_seconds:.2f} s", "2 s")
            pids = processes(cluster)
            time.sleep(1)  # what starting left over
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            time.sleep(IDLE_SECONDS)
            total = 0
            for name, pid in pids.items():
                share = (cpu_seconds(pid) - before[name]) / IDLE_SECONDS
                total += share
                show(f"idle {name}", f"{100 * share:.2f} % of a core, {status_of(pid, 'Threads')} threads")
            show("idle, all processes", f"{100 * total:.2f} % of a core", "2 %")
            self.assertLess(total, 0.05)

    def test_an_idle_cluster_is_small(self):
        with Cluster(model=RECALL) as cluster:
            total = 0
            for name, pid in processes(cluster).items():
                resident = 1024 * status_of(pid, "VmRSS")
                total += resident
                show(f"resident {name}", f"{resident / MIB:.0f} MiB")
            beside = total - 2 * RECALL_WEIGHT_BYTES
            show("resident, all processes, weights too, no page written", f"{total / MIB:.0f} MiB")
            show("of it beside the weights of two workers", f"{beside / MIB:.0f} MiB", "200 MB")
            self.assertLess(beside, 200e6)
            cluster.complete(recall_prompt(1024, 1), max_tokens=4)
            for name, pid in processes(cluster).items():
                show(f"resident {name} after a prompt of 1,024",
                     f"{1024 * status_of(pid, 'VmRSS') / MIB:.0f} MiB, most {1024 * status_of(pid, 'VmHWM') / MIB:.0f}")

    def test_a_kept_alive_connection_answers_as_soon_again(self):
        with Cluster() as cluster:
            clock = FirstChunks(cluster)
            clock.seconds()
            firsts, seconds = [], []
            for _ in range(20):
                with contextlib.closing(clock.connect()) as connection:
                    firsts.append(clock.seconds(connection))
                    seconds.append(clock.seconds(connection))
            first, second = statistics.median(firsts), statistics.median(seconds)
            show("first chunk, first request of a connection", f"{1e3 * first:.1f} ms")
            show("first chunk, second request of a connection", f"{1e3 * second:.1f} ms", "as soon")
            self.assertLess(second, 2 * first)

    def test_the_router_adds_little(self):
        with Cluster() as cluster:
            clock = FirstChunks(cluster)
            with contextlib.closing(clock.connect()) as connection:
                for _ in range(40):
                    clock.seconds(connection)
            for stage in ("dispatch", "chunk"):
                median = bucket_of_median(cluster, "baton_router_overhead_seconds", stage=stage)
                show(f"router overhead p50, {stage}, at most", f"{1e3 * median:.2f} ms", "1 ms")
                self.assertLessEqual(median, 0.005)

    def test_many_requests_leave_nothing_behind(self):
        with Cluster() as cluster:
            clock = FirstChunks(cluster)
            for _ in range(40):
                clock.seconds()
            pids = processes(cluster)
            files = {name: open_files(pid) for name, pid in pids.items()}
            resident = {name: status_of(pid, "VmRSS") for name, pid in pids.items()}
            for _ in range(200):
                clock.seconds()
            for name, pid in pids.items():
                grown = 1024 * (status_of(pid, "VmRSS") - resident[name])
                show(f"grown over 200 requests, {name}", f"{grown / MIB:.1f} MiB")
                self.assertLessEqual(open_files(pid), files[name] + 2, f"{name} keeps files open")
            self.assertEqual(0, cluster.metric("baton_ledger_imbalance", "decode-0"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
