"""Workers that die and come back at the address they had, twenty times over: nobody takes the new life for the old.

A prefill worker takes the very ports it had. Connections that a dead decode worker had accepted hold their port for a
minute, and UCX does not take it over; so that worker has a range, and comes back at the next port of it."""
import signal
import subprocess
import tempfile
import time
import unittest

from cluster import BINARY, NANO, Cluster, HttpError, free_ports, oracle, recall_prompt, wait_until

TIMES = 20


class ByHand:
    """A router, a prefill and a decode worker, each a child of this test, each at fixed ports."""

    def __init__(self):
        first = free_ports(32)
        self.grpc, self.port = first, first + 1
        self.http = {"prefill": first + 2, "decode": first + 3}
        self.pages = {"prefill": f"{first + 5}-{first + 6}", "decode": f"{first + 7}-{first + 31}"}
        self.processes, self.log = {}, tempfile.TemporaryFile("w+")

    def __enter__(self):
        self.start("router", "--port", str(self.port), "--set", f"router.grpc_port={self.grpc}",
                   "--set", "router.lost_worker_wait_ms=10000", "--set", "router.alone_after_ms=60000")
        for role in ("prefill", "decode"):
            self.start_worker(role)
        wait_until(self.ready, 30, "the cluster")
        return self

    def __exit__(self, *unused):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, role, *arguments):
        command = [BINARY, role, NANO, *arguments, "--set", "server.drain.grace_seconds=0"]
        self.processes[role] = subprocess.Popen(command, stderr=self.log)

    def start_worker(self, role):
        self.start(role, "--port", str(self.http[role]), "--router", f"127.0.0.1:{self.grpc}",
                   "--set", "cache.pages=128", "--set", f"server.worker_id={role}-0",
                   "--set", "transfer.transports=[tcp]", "--set", f"transfer.tcp_ports={self.pages[role]}")

    def ready(self):
        try:
            return Cluster.get(self, "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, prompt):
        """The answer; as a client would, it comes again for as long as no worker is there."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return Cluster.complete(self, prompt, max_tokens=6)["choices"][0]["token_ids"]
            except HttpError as error:
                if error.status != 503 or time.monotonic() > deadline:
                    self.log.seek(0)
                    raise AssertionError(f"{error}\n{self.log.read()[-2000:]}") from error
                time.sleep(0.05)


class RestartTest(unittest.TestCase):
    def restart(self, role):
        prompts = [recall_prompt(200 + 64 * (i % 3), 40 + i) for i in range(TIMES)]
        expected = [a["token_ids"] for a in oracle(prompts, max_tokens=6)]
        with ByHand() as cluster:
            slowest = 0.0
            for prompt, want in zip(prompts, expected):
                process = cluster.processes[role]
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                start = time.monotonic()
                cluster.start_worker(role)
                self.assertEqual(want, cluster.ask(prompt))
                slowest = max(slowest, time.monotonic() - start)
            print(f"{role} killed and restarted at its ports {TIMES} times; the slowest answer took {slowest:.2f} s")
            self.assertLess(slowest, 5)

    def test_a_prefill_worker_restarts_at_its_address_twenty_times(self):
        self.restart("prefill")

    def test_a_decode_worker_restarts_at_its_address_twenty_times(self):
        self.restart("decode")


if __name__ == "__main__":
    unittest.main(verbosity=2)
