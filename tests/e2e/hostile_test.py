"""Strangers and secrets: garbage on every port ends that connection and nothing else; what a client trusts the cluster
with is found in no log, metric or error."""
import http.client
import json
import os
import random
import socket
import unittest

from cluster import Cluster, oracle, ports_of, recall_prompt

ANSWER_TOKENS = 8


def listening(pid):
    """The ports at which a process listens on loopback."""
    ports = []
    for port in ports_of(pid):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                ports.append(port)
    return ports


def garbage(rng):
    """What a stranger may say: noise, half of somebody's protocol, far too much, nothing."""
    head = rng.choice([b"", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 64, b"\xff" * 64,
                       b"\x16\x03\x01\x02\x00", b"POST /v1/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"])
    return head + rng.randbytes(rng.choice([0, 1, 39, 40, 41, 500, 70_000]))


def shout(port, rng):
    with socket.socket() as stranger:
        stranger.settimeout(2)
        try:
            stranger.connect(("127.0.0.1", port))
            stranger.sendall(garbage(rng))
            if rng.random() < 0.5:
                stranger.shutdown(socket.SHUT_WR)
            stranger.settimeout(0.05)
            stranger.recv(100)
        except OSError:
            pass  # the door was shut: that is an answer


class GarbageTest(unittest.TestCase):
    def test_garbage_on_any_port_ends_that_connection_alone(self):
        rng = random.Random(int(os.environ.get("BATON_SEED", "1")))
        prompt = recall_prompt(700, 8)
        expected = oracle([prompt], max_tokens=ANSWER_TOKENS)[0]["token_ids"]
        with Cluster(sets=["transfer.transports=[tcp]"]) as cluster:
            before = dict(cluster.workers)
            ports = {name: listening(pid) for name, pid in before.items()}
            for name, found in ports.items():
                self.assertGreaterEqual(len(found), 2 if name != "router" else 1, name)
            for port in (port for found in ports.values() for port in found):
                for _ in range(20):
                    shout(port, rng)
                got = cluster.complete(prompt, max_tokens=ANSWER_TOKENS)["choices"][0]["token_ids"]
                self.assertEqual(expected, got, f"after garbage at {port}")
            self.assertEqual(before, cluster.workers, "a process ended\n" + cluster.log())
            for pid in before.values():
                os.kill(pid, 0)
            print(f"{sum(map(len, ports.values()))} ports, 20 strangers each")


class CanaryTest(unittest.TestCase):
    """A word that nobody says by chance, wherever a client may leave one."""
    PROMPT, SALT, KEY = "canaryprompt7Qx", "canarysalt9Zt", "canarykey4Lm"

    def secrets(self):
        return (self.PROMPT, self.SALT, self.KEY, ",".join(str(b) for b in self.PROMPT.encode()))

    def assert_clean(self, where, text):
        for secret in self.secrets():
            self.assertNotIn(secret, text, where)

    def ask(self, cluster, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=30)
        connection.request("POST", "/v1/completions", json.dumps(fields),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {self.KEY}"})
        body = connection.getresponse().read().decode()
        connection.close()
        return body

    def test_no_prompt_salt_or_key_leaves_by_log_metric_or_error(self):
        with Cluster(sets=["observability.log_level=debug"]) as cluster:
            for fields in ({"max_tokens": 4}, {"max_tokens": 4, "cache_salt": self.SALT},
                           {"max_tokens": -1}, {"max_tokens": 4, "temperature": "hot"}, {"n": 99},
                           {"max_tokens": 4, "stop": [self.SALT] * 40}, {"model": "nobody"}):
                body = self.ask(cluster, prompt=f"say {self.PROMPT}=4821;", **fields)
                self.assert_clean(f"error for {fields}", body if '"error"' in body else "")
            self.assert_clean("an error", self.ask(cluster, prompt=[10 ** 9], max_tokens=2))
            for name in cluster.workers:
                worker = None if name == "router" else name
                for path in ("/metrics", "/version", "/healthz", "/readyz"):
                    self.assert_clean(f"{name} {path}", cluster.get(path, worker)[1])
        self.assert_clean("the log", cluster.log() + "".join(cluster.lines))


if __name__ == "__main__":
    unittest.main(verbosity=2)
