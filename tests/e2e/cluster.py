"""A real cluster for a test: `baton up` with its router, prefill and decode processes, on loopback.

Every wait has a deadline; only processes started here are ended, by their ids.
"""
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

BINARY = os.environ.get("BATON_BINARY") or os.path.join(
    os.path.dirname(__file__), "..", "..", "build", "release", "bin", "baton")
NANO = "builtin:recall-nano"
FAULTS_BINARY = os.path.join(os.path.dirname(BINARY), "baton-faults")  # the same, with failpoints


def free_ports(count):
    """The first of `count` ports in a row that nobody listens at, below those that the system gives out by itself."""
    for _ in range(100):
        first = random.randrange(10_000, 32_000 - count)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError(f"no {count} free ports in a row")


def sockets_of(pid):
    """(local port, remote port) of a process's TCP sockets; the remote port of one that listens is 0."""
    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
        if found:
            inodes.add(found[1])
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as file:
            for line in list(file)[1:]:
                words = line.split()
                if words[9] in inodes:
                    yield tuple(int(words[place].rsplit(":", 1)[1], 16) for place in (1, 2))


def ports_of(pid):
    """The local TCP ports of a process's sockets, connected or listening."""
    return sorted({local for local, _ in sockets_of(pid)})


def wait_until(holds, seconds, what):
    """Looks 50 times a second until `holds()`; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Cluster:
    """Use as a context manager. `workers` maps a worker's name ("decode-0") to its last pid. Ports are its own, so
    that clusters of several tests stand beside each other."""

    def __init__(self, prefill=1, decode=1, model=NANO, sets=(), flags=(), preexec=None, plain=False, faults=None):
        """`faults`: a Switchboard's environment; the program with failpoints then runs."""
        self.command = [FAULTS_BINARY if faults else BINARY, "up", model, "--port", "0", *flags]
        if not plain:  # else: as a user starts it
            self.command += ["--prefill-workers", str(prefill), "--decode-workers", str(decode)]
            ports = free_ports(prefill + decode + 1)
            own = (f"router.grpc_port={ports}", f"prefill.http_port={ports + 1}",
                   f"decode.http_port={ports + 1 + prefill}")
            sets = ("cache.pages=512", *own, *sets)
        for item in sets:
            self.command += ["--set", item]
        self.workers, self.http, self.port, self.lines = {}, {}, None, []
        self.ready_seconds = None
        self.faults = faults
        self.preexec = preexec  # called in the child before `baton up` begins

    def __enter__(self):
        self.stderr = tempfile.TemporaryFile("w+")
        start = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.stderr, text=True,
                                        preexec_fn=self.preexec, env=self.faults)
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.ready.wait(60) or self.port is None:
            self.stop()
            raise AssertionError("not ready:\n" + "".join(self.lines) + self.log())
        self.ready_seconds = time.monotonic() - start
        return self

    def __exit__(self, *unused):
        self.stop()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.match(r"(?:restarted )?(router|prefill-\d+|decode-\d+)\s+pid (\d+)\s+http (\S+)", line)
            if found:
                self.workers[found[1]] = int(found[2])
                self.http[found[1]] = found[3]
            if line.startswith("ready http://"):
                self.port = int(line.strip().rsplit(":", 1)[1])
                self.ready.set()
        self.ready.set()

    def log(self):
        self.stderr.flush()
        self.stderr.seek(0)
        return self.stderr.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("baton up did not end within 30 s of SIGTERM:\n" + self.log())
        self.exit_code = self.process.returncode
        self.reader.join(5)

    def signal(self, worker, number):
        os.kill(self.workers[worker], number)

    def get(self, path, worker=None):
        """(status, body) of a GET at the router or a worker."""
        host = self.http[worker] if worker else f"127.0.0.1:{self.port}"
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body

    def metric(self, name, worker=None, **labels):
        """The sum of a metric's series whose labels hold `labels`; None when there is none."""
        total = None
        for line in self.get("/metrics", worker)[1].splitlines():
            if not re.match(re.escape(name) + r"[{ ]", line):
                continue
            if all(f'{key}="{value}"' in line for key, value in labels.items()):
                total = (total or 0) + float(line.rsplit(" ", 1)[1])
        return total

    def wait_metric(self, expected, name, worker=None, seconds=10, **labels):
        value = None
        for _ in range(int(seconds * 20)):
            value = self.metric(name, worker, **labels)
            if value == expected:
                return
            time.sleep(0.05)
        raise AssertionError(f"{worker} {name}{labels} is {value}, not {expected}, after {seconds} s")

    def complete(self, prompt, timeout=120, connection=None, **fields):
        """A completion of token ids or text, not streamed: the decoded answer; raises HttpError."""
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        body = {"prompt": prompt, "temperature": 0, "return_token_ids": True, **fields}
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise HttpError(response.status, json.loads(text)["error"], dict(response.getheaders()))
        return json.loads(text)

    def stream(self, prompt, timeout=120, connection=None, **fields):
        """Yields the events of a streamed completion; an error event raises HttpError(200, ...)."""
        own = connection is None
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        body = {"prompt": prompt, "temperature": 0, "return_token_ids": True, "stream": True,
                "stream_options": {"include_usage": True}, **fields}
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise HttpError(response.status, json.loads(response.read())["error"], dict(response.getheaders()))
        done = False
        for line in response:
            if line.startswith(b"data: [DONE]"):
                done = True
            elif line.startswith(b"data: "):
                event = json.loads(line[6:])
                if "error" in event:
                    raise HttpError(200, event["error"], {})
                yield event
        if own:
            connection.close()
        if not done:
            raise AssertionError("the stream ended without [DONE]")


class HttpError(Exception):
    def __init__(self, status, error, headers):
        super().__init__(f"{status} {error}")
        self.status, self.error, self.headers = status, error, headers


def oracle(prompts, model=NANO, max_tokens=8, sets=(), **flags):
    """What one process gives for each prompt of token ids: a list of {token_ids, logprobs, ...}."""
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
        for prompt in prompts:
            file.write(",".join(map(str, prompt)) + "\n")
        file.flush()
        command = [BINARY, "generate", model, "--prompt-ids", "@" + file.name, "--max-tokens", str(max_tokens),
                   "--json", "--logprobs", "0"]
        for key, value in flags.items():
            command += ["--" + key.replace("_", "-")] + ([] if value is True else [str(value)])
        for item in sets:
            command += ["--set", item]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def answer_of(response):
    """(token ids, logprobs) of a completion's first choice."""
    choice = response["choices"][0]
    return choice["token_ids"], choice["logprobs"]["token_logprobs"]


def recall_prompt(length, seed):
    """A prompt of `length` bytes as token ids (BOS in front): pairs `key=digits;`, then a key to recall."""
    rng = random.Random(seed)
    text = ""
    keys = []
    while len(text) < length:
        key = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6))
        keys.append(key)
        text += f"{key}={rng.randrange(1000, 10000)};"
    if length > 40:
        ask = keys[rng.randrange(max(1, len(keys) // 2))] + "="
        text = text[:length - 1 - len(ask)] + ask
    return ([256] + list(text.encode()))[:length]
