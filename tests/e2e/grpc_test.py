"""The public gRPC door of a whole cluster, through Debian's grpcio with stubs that protoc makes from
proto/baton_public.proto: the same bits as one process, typed errors, health, reflection, cancellation."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import grpc

from cluster import Cluster, oracle, recall_prompt

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEALTH = """syntax = "proto3"; package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; } ServingStatus status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
"""
REFLECTION = """syntax = "proto3"; package grpc.reflection.v1alpha;
message ServerReflectionRequest { string host = 1; oneof message_request { string list_services = 7; } }
message ServiceResponse { string name = 1; }
message ListServiceResponse { repeated ServiceResponse service = 1; }
message ServerReflectionResponse { oneof message_response { ListServiceResponse list_services_response = 6; } }
service ServerReflection { rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse); }
"""
TIMEOUT = 60


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class GrpcTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copy(os.path.join(ROOT, "proto", "baton_public.proto"), cls.folder)
        for name, text in (("health.proto", HEALTH), ("reflection.proto", REFLECTION)):
            with open(os.path.join(cls.folder, name), "w") as file:
                file.write(text)
        subprocess.run(["protoc", "-I", cls.folder, "--python_out=" + cls.folder, "--grpc_out=" + cls.folder,
                        "--plugin=protoc-gen-grpc=" + shutil.which("grpc_python_plugin"),
                        "baton_public.proto", "health.proto", "reflection.proto"], check=True, cwd=cls.folder)
        sys.path.insert(0, cls.folder)
        import baton_public_pb2 as messages
        import baton_public_pb2_grpc as stubs
        cls.messages = messages
        port = free_port()
        cls.cluster = Cluster(sets=[f"router.public_grpc_port={port}"]).__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        cls.addClassCleanup(cls.channel.close)
        cls.stub = stubs.InferenceStub(cls.channel)

    def generate(self, **fields):
        return self.stub.Generate(self.messages.GenerateRequest(**fields), timeout=TIMEOUT)

    def test_tokens_and_logprobs_are_those_of_one_process(self):
        prompts = [recall_prompt(n, n) for n in (1, 64, 200)]
        for prompt, want in zip(prompts, oracle(prompts, max_tokens=12)):
            events = list(self.generate(token_ids={"ids": prompt}, max_tokens=12, temperature=0, logprobs=0))
            tokens = [e.token for e in events if e.HasField("token")]
            self.assertEqual(want["token_ids"], [t.token_id for t in tokens])
            floats = self.messages.Token()  # the wire carries 32 bits
            rounded = []
            for value in want["logprobs"]:
                floats.logprob = value
                rounded.append(floats.logprob)
            self.assertEqual(rounded, [t.logprob for t in tokens])
            self.assertEqual((len(prompt), len(tokens)),
                             (events[-1].finished.prompt_tokens, events[-1].finished.completion_tokens))

    def test_a_bad_field_is_a_typed_error(self):
        with self.assertRaises(grpc.RpcError) as caught:
            list(self.generate(text="x", temperature=9))
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, caught.exception.code())
        self.assertEqual("temperature", dict(caught.exception.trailing_metadata())["baton-error-param"])

    def test_a_cancelled_call_frees_its_pages(self):
        call = self.generate(token_ids={"ids": recall_prompt(700, 3)}, max_tokens=4000, ignore_eos=True, temperature=0)
        for _ in range(3):
            next(call)
        call.cancel()
        self.cluster.wait_metric(0, "baton_kv_pages", "decode-0", state="owned", seconds=5)

    def test_a_call_past_its_deadline_ends(self):
        start = time.monotonic()
        with self.assertRaises(grpc.RpcError) as caught:
            list(self.stub.Generate(self.messages.GenerateRequest(text="x", max_tokens=4000, ignore_eos=True),
                                    timeout=0.5))
        self.assertEqual(grpc.StatusCode.DEADLINE_EXCEEDED, caught.exception.code())
        self.assertLess(time.monotonic() - start, 5)
        self.cluster.wait_metric(0, "baton_kv_pages", "decode-0", state="owned", seconds=5)

    def test_health_and_reflection_answer(self):
        import health_pb2
        import health_pb2_grpc
        import reflection_pb2
        import reflection_pb2_grpc
        health = health_pb2_grpc.HealthStub(self.channel)
        for service in ("", "baton.v1.Inference"):
            end = time.monotonic() + 2  # it follows readiness by a twentieth of a second
            while health.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT).status != 1:
                self.assertLess(time.monotonic(), end, service)
                time.sleep(0.02)
        ask = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        got = next(reflection_pb2_grpc.ServerReflectionStub(self.channel).ServerReflectionInfo(ask, timeout=TIMEOUT))
        names = [s.name for s in got.list_services_response.service]
        self.assertIn("baton.v1.Inference", names)
        self.assertFalse([n for n in names if "link" in n.lower()], "the internal schema is shown")
        internal = re.search(r"workers register at (\S+)", self.cluster.log())[1]
        with grpc.insecure_channel(internal) as channel, self.assertRaises(grpc.RpcError) as caught:
            ask = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            next(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(ask, timeout=TIMEOUT))
        self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, caught.exception.code())


if __name__ == "__main__":
    unittest.main(verbosity=2)
