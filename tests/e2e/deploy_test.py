"""What lies in deploy/ is true: the manifest is valid and its configuration passes check-config, Prometheus scrapes a
real cluster, and every query of the dashboard returns data."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import yaml

from cluster import BINARY, Cluster, recall_prompt

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MANIFEST = os.path.join(ROOT, "deploy", "kubernetes", "baton.yaml")
DASHBOARD = os.path.join(ROOT, "deploy", "grafana", "baton.json")
DOCKERFILE = os.path.join(ROOT, "deploy", "Dockerfile")
SCRAPE = os.path.join(ROOT, "deploy", "prometheus", "prometheus.yml")
VALIDATE = "kubernetes-validate==1.31.0"


def documents():
    with open(MANIFEST) as file:
        return list(yaml.safe_load_all(file))


def queries():
    """(panel title, query) of every target of the dashboard."""
    with open(DASHBOARD) as file:
        for panel in json.load(file)["panels"]:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"]


class ManifestTest(unittest.TestCase):
    def test_the_configuration_passes_check_config(self):
        config = next(d for d in documents() if d["kind"] == "ConfigMap")["data"]["baton.yaml"]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(config)
            file.flush()
            done = subprocess.run([BINARY, "check-config", file.name], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_probes_are_served_and_arguments_parse(self):
        container = next(d for d in documents() if d["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
        paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
        with Cluster() as cluster:
            for path in paths:
                self.assertEqual(200, cluster.get(path)[0], path)
        done = subprocess.run([BINARY, *container["args"], "--help"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_kubernetes_accepts_the_manifest(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            got = subprocess.run([folder + "/bin/pip", "-q", "install", VALIDATE], capture_output=True, text=True)
            if got.returncode != 0:
                self.skipTest(f"{VALIDATE} cannot be had here: the manifest was not validated")
            done = subprocess.run([folder + "/bin/kubernetes-validate", "--strict", MANIFEST], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)


class ImageTest(unittest.TestCase):
    """The Dockerfile beside the binary of this machine, which is the Debian that the image is of."""

    def setUp(self):
        with open(DOCKERFILE) as file:
            self.build, self.image = file.read().replace("\\\n", " ").rsplit("\nFROM ", 1)

    def output(self, *command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def test_every_library_that_the_binary_names_is_installed(self):
        installed = set(re.search(r"apt-get install -y --no-install-recommends\s+(.*?)\s+&&", self.image)[1].split())
        found = self.output("ldd", BINARY)
        named = re.findall(r"NEEDED\s+(\S+)", self.output("objdump", "-p", BINARY))
        paths = [os.path.realpath(re.search(rf"{re.escape(name)} => (\S+)", found)[1]) for name in named]
        owners = self.output("dpkg", "-S", *["*/" + "/".join(path.split("/")[-2:]) for path in paths])
        needed = {line.split(":")[0] for line in owners.splitlines()}
        self.assertGreater(len(needed), 8)
        self.assertEqual(set(), needed - installed - {"libc6", "libgcc-s1", "libstdc++6"})

    def test_it_is_built_as_run_builds_and_tagged_as_the_manifest_asks(self):
        with open(MANIFEST) as file:
            tag = re.search(r"image: (\S+)", file.read())[1]
        self.assertIn(f"docker build -t {tag} ", self.build)
        self.assertIn("tools/packages.txt", self.build)
        self.assertIn('ENTRYPOINT ["baton"]', self.image)


class PrometheusTest(unittest.TestCase):
    def query(self, port, text):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]["result"]

    def scrape_config(self, cluster):
        with open(SCRAPE) as file:
            config = yaml.safe_load(file)
        ends = {"baton-router": [f"127.0.0.1:{cluster.port}"], "baton-prefill": [cluster.http["prefill-0"]],
                "baton-decode": [cluster.http["decode-0"]]}
        config["global"]["scrape_interval"] = "1s"
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": ends.pop(job["job_name"])}]
        self.assertEqual({}, ends, "a role is not scraped")
        return config

    def test_every_query_of_the_dashboard_returns_data(self):
        program = shutil.which("prometheus")
        self.assertIsNotNone(program, "Debian's package prometheus is not installed")
        with Cluster() as cluster, tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "prometheus.yml")
            with open(path, "w") as file:
                yaml.safe_dump(self.scrape_config(cluster), file)
            log = open(os.path.join(folder, "log"), "w+")
            # Port 0 is refused by Prometheus; a free one is asked for and used at once.
            port = free_port()
            server = subprocess.Popen([program, f"--config.file={path}", f"--storage.tsdb.path={folder}/data",
                                       f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
            try:
                missing = self.wait_for_data(cluster, port)
            finally:
                server.terminate()
                server.wait(20)
        self.assertEqual([], missing)

    def wait_for_data(self, cluster, port):
        missing = None
        for i in range(20):
            cluster.complete(recall_prompt(200, i), max_tokens=4)
            time.sleep(1)
            try:
                missing = [(title, text) for title, text in queries() if not self.query(port, text)]
            except OSError:
                continue
            if not missing:
                return []
        return missing

    def test_names_of_the_dashboard_are_in_a_scrape(self):
        with Cluster() as cluster:
            pages = "".join(cluster.get("/metrics", worker)[1] for worker in (None, "prefill-0", "decode-0"))
        for title, text in queries():
            for name in re.findall(r"(?:baton_|vllm:|process_)[a-z0-9_:]+", text):
                self.assertIn("\n" + name, pages, f"{title}: {name}")


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main(verbosity=2)
