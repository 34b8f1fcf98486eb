"""How processes start and end: signals, readers that leave, limits of the system, wires that cannot be had."""
import os
import resource
import signal
import subprocess
import time
import unittest

from cluster import BINARY, NANO, Cluster


def gone(pid, seconds=10):
    """True when process `pid`, a child's child, ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] in "ZX":
                    return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


class SignalTest(unittest.TestCase):
    def test_a_lost_terminal_ends_a_cluster_in_order(self):
        with Cluster() as cluster:
            cluster.process.send_signal(signal.SIGHUP)
            self.assertEqual(0, cluster.process.wait(20), cluster.log())
            for name, pid in cluster.workers.items():
                self.assertTrue(gone(pid, 1), name)

    def test_a_lost_terminal_ends_a_worker_in_order(self):
        with Cluster(flags=["--no-restart"]) as cluster:
            pid = cluster.workers["decode-0"]
            cluster.signal("decode-0", signal.SIGHUP)
            self.assertTrue(gone(pid))
            self.assertIn("decode-0: leaving: drained", cluster.log())

    def test_nohup_keeps_a_cluster(self):
        ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Cluster(preexec=ignore) as cluster:
            for pid in (cluster.process.pid, *cluster.workers.values()):
                os.kill(pid, signal.SIGHUP)
            self.assertEqual(200, cluster.get("/readyz")[0])
            self.assertEqual("4821", cluster.complete("kite=4821;kite=", max_tokens=4)["choices"][0]["text"])

    def test_a_reader_that_leaves_ends_nothing(self):
        command = [BINARY, "up", NANO, "--port", "0", "--set", "cache.pages=64"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
            self.assertIn("router", up.stdout.readline())
            up.stdout.close()
            with self.assertRaises(subprocess.TimeoutExpired):
                up.wait(3)
            up.send_signal(signal.SIGTERM)
            self.assertEqual(0, up.wait(20))
            up.stderr.read()

    def test_a_worker_that_loads_ends_at_once(self):
        command = [BINARY, "decode", "builtin:recall", "--router", "127.0.0.1:9", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as worker:
            time.sleep(0.3)
            begin = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(0, worker.wait(20), worker.stderr.read())
            self.assertLess(time.monotonic() - begin, 1)


class LimitTest(unittest.TestCase):
    def test_a_low_soft_limit_of_open_files_is_raised(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with Cluster(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, hard))) as cluster:
            self.assertEqual("4821", cluster.complete("kite=4821;kite=", max_tokens=4)["choices"][0]["text"])

    def test_a_low_hard_limit_of_open_files_is_one_line(self):
        for role in ("up", "router"):
            done = subprocess.run([BINARY, role, NANO], capture_output=True, text=True, timeout=20,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
            self.assertEqual(1, done.returncode, done.stderr)
            self.assertRegex(done.stderr, r"^error: this process may open 64 files, and needs \d+: .*ulimit.*\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
