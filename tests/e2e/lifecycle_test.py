"""How processes start and end: signals, readers that leave, limits of the system, wires that cannot be had."""
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from cluster import BINARY, NANO, Cluster

V2_LITE = os.path.join(os.path.dirname(__file__), "..", "golden", "models", "v2_lite")


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
            while not up.stdout.readline().startswith("router"):
                self.assertIsNone(up.poll())
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


class ByHand:
    """Roles started one by one; each log is a list of lines so far."""

    def __enter__(self):
        self.processes, self.logs = [], {}
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports.append(free.getsockname()[1])
        self.port, self.grpc = ports
        return self

    def __exit__(self, *unused):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stderr.close()

    def start(self, name, role, model, *arguments):
        command = [BINARY, role, *([model] if model else []), *arguments]
        if role == "router":
            command += ["--port", str(self.port), "--set", f"router.grpc_port={self.grpc}",
                        "--set", "server.drain.grace_seconds=0"]
        else:
            command += ["--port", "0", "--router", f"127.0.0.1:{self.grpc}", "--set", "cache.pages=64",
                        "--set", "transfer.tcp_ports=any"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        log = self.logs[name] = []
        threading.Thread(target=lambda: log.extend(process.stderr), daemon=True).start()
        return process

    def wait_line(self, name, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.logs[name]):
                if re.search(pattern, line):
                    return line
            time.sleep(0.05)
        raise AssertionError(f"{name} did not say {pattern}: {self.logs}")


class ByHandTest(unittest.TestCase):
    def test_a_worker_of_another_model_is_refused(self):
        with ByHand() as hand:
            hand.start("router", "router", "builtin:recall-nano")
            hand.start("decode", "decode", V2_LITE)
            line = hand.wait_line("decode", "refused by router")
            self.assertIn("v2_lite", line)
            self.assertIn("builtin:recall-nano", line)
            self.assertIn(" warn", hand.wait_line("router", "refused a worker"))

    def test_a_second_worker_of_one_id_is_refused_and_the_first_serves(self):
        with ByHand() as hand:
            hand.start("router", "router", NANO)
            hand.start("first", "decode", NANO, "--set", "server.worker_id=d")
            hand.wait_line("first", "linked to router")
            hand.start("second", "decode", NANO, "--set", "server.worker_id=d")
            self.assertIn("server.worker_id", hand.wait_line("second", "refused by router"))
            time.sleep(3)
            self.assertFalse([line for line in hand.logs["first"] if "lost" in line or "refused" in line])

    def test_a_router_out_of_reach_is_told_and_one_that_ends_in_order_is_not_lost(self):
        with ByHand() as hand:
            worker = hand.start("decode", "decode", NANO)
            self.assertIn(" warn", hand.wait_line("decode", f"cannot reach router 127.0.0.1:{hand.grpc}"))
            router = hand.start("router", "router", NANO)
            hand.wait_line("decode", "linked to router")
            router.terminate()
            self.assertEqual(0, router.wait(20))
            hand.wait_line("decode", r"router 127.0.0.1:\d+ left")
            self.assertFalse([line for line in hand.logs["decode"] if "lost" in line])
            hand.start("router", "router", NANO)
            hand.wait_line("router", "registered")
            worker.terminate()
            self.assertEqual(0, worker.wait(20))
            hand.wait_line("router", " info .* left$")
            self.assertFalse([line for line in hand.logs["router"] if "lost" in line])


class StartTest(unittest.TestCase):
    def says(self, code, pattern, *arguments):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertRegex(done.stderr, pattern)

    def test_without_a_model(self):
        self.says(2, "give MODEL", "decode", "--router", "127.0.0.1:9")
        self.says(2, "give MODEL", "router")
        done = subprocess.run([BINARY, "generate", "--prompt", "kite=4821;kite=", "--max-tokens", "4"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((0, "4821\n"), (done.returncode, done.stdout), done.stderr)

    def test_what_a_start_refuses_check_config_finds(self):
        order = ("--set", "transfer.transports=[tcp, shm]")
        for pattern, role, *sets in (("--router", "prefill"),
                                     ("in front of shm", "any", *order),
                                     ("builtin:recall-nano", "any", "--set", "model.path=builtin:recal"),
                                     ("kv_cache_dtype", "any", "--set", "kv_cache_dtype=int3")):
            with self.subTest(pattern=pattern):
                self.says(2, pattern, "check-config", os.devnull, "--role", role, *sets)
        self.says(2, "--router", "prefill", "builtin:recal")
        self.says(2, "in front of shm", "decode", NANO, "--router", "127.0.0.1:9", *order)

    def test_bounds_are_told(self):
        self.says(2, "step_tokens_max", "decode", NANO, "--max-num-batched-tokens", "100000000")
        self.says(1, "max-model-len", "generate", NANO, "--prompt", "a", "--max-model-len", "10m")
        self.says(1, "--max-tokens", "generate", NANO, "--prompt", "a", "--max-tokens", "1000000")
        self.says(2, "from 0 to 2", "generate", NANO, "--prompt", "a", "--temperature", "3")

    def test_workers_share_the_machine_and_an_aggregated_cluster_needs_no_wire(self):
        with Cluster(prefill=0, sets=["cache.pages=64"]) as cluster:
            self.assertNotIn("pages travel", "".join(cluster.lines))
        pages = []
        for count in (1, 3):
            command = [BINARY, "up", NANO, "--port", "0", "--prefill-workers", "0", "--decode-workers", str(count)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as up:
                pages.append(int(re.search(r"(\d+) pages", up.stdout.readline())[1]))
                up.terminate()
        self.assertEqual(pages[0] // 3, pages[1])


class LimitTest(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0, "a file system of its own needs root")
    def test_no_room_for_a_wire_is_an_error_that_says_what_to_do(self):
        script = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$0" up "$@"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, BINARY, NANO, "--port", "0"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"error: no wire carries pages .*transfer\.transports=\[tcp\]")
        self.assertNotIn("ready", done.stdout)

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
