"""`baton selftest`: alone, and as two processes that drive each other over every wire."""
import os
import re
import socket
import subprocess
import unittest

from cluster import BINARY

SECONDS = 60


def run(*args):
    return subprocess.run([BINARY, "selftest", *args], capture_output=True, text=True, timeout=SECONDS)


class Listener:
    """`baton selftest --listen 0`, as a context manager."""

    def __init__(self, *args):
        self.process = subprocess.Popen([BINARY, "selftest", "--listen", "0", *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        self.address = re.fullmatch(r"listening at (127\.0\.0\.1:\d+)\n", line)[1]
        return self

    def end(self):
        """Waits until it leaves by itself: its exit code and what else it printed."""
        printed, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, printed

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class SelftestTest(unittest.TestCase):
    def expect_wires(self, text, wires):
        for wire, line in zip(wires, text.splitlines(), strict=True):
            self.assertRegex(line, rf"^{wire}: transport validated wire {wire} [\d.]+ GB/s \d+ bytes "
                                   r"round trip [\d.]+ us checksum \w+")

    def test_alone_it_tries_every_wire(self):
        done = run()
        self.assertEqual(0, done.returncode, done.stderr)
        self.expect_wires(done.stdout, ["shm", "tcp"])

    def test_two_processes_try_every_wire(self):
        with Listener() as listener:
            done = run("--peer", listener.address)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.expect_wires(done.stdout, ["shm", "tcp"])
            code, said = listener.end()
            self.assertEqual((0, "shm: served\ntcp: served\n"), (code, said))

    def test_a_peer_that_requires_another_wire_refuses_it_by_name(self):
        with Listener("--set", "transfer.require_transport=tcp") as listener:
            done = run("--peer", listener.address)
            self.assertEqual(1, done.returncode)
            shm, tcp = done.stdout.splitlines()
            self.assertIn("shm: failed: the peer: transfer.require_transport is tcp", shm)
            self.assertIn("wire tcp", tcp)
            self.assertEqual(1, listener.end()[0])

    def test_only_the_required_wire_is_tried(self):
        with Listener() as listener:
            done = run("--peer", listener.address, "--set", "transfer.require_transport=tcp")
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.expect_wires(done.stdout, ["tcp"])

    def test_where_nobody_listens_it_says_what_to_start(self):
        with socket.socket() as taken:  # bound and not listening: nobody else gets the port
            taken.bind(("127.0.0.1", 0))
            done = run("--peer", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(1, done.returncode)
        self.assertIn("start `baton selftest --listen", done.stderr)

    def test_garbage_at_the_door_ends_the_visit(self):
        with Listener() as listener:
            host, port = listener.address.split(":")
            with socket.create_connection((host, int(port)), timeout=SECONDS) as visitor:
                visitor.sendall(os.urandom(64 * 1024))
                code, said = listener.end()
            self.assertEqual(1, code)
            self.assertNotIn("served", said)


if __name__ == "__main__":
    unittest.main()
