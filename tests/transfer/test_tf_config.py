"""TF_CONFIG: which processes train together."""

import json
import socket
import threading

import pytest

from tf_style.settings import InputError
from tf_style.transfer.tf_config import Cluster

TWO = {"worker": ["one:2000", "two:2000"]}


def read(cluster, **task):
    return Cluster.read({"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})})


def ports(count):
    """Ports that are free."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return found


def test_processes_are_told_in_the_order_of_tensorflow():
    assert read(TWO, type="worker", index=1) == Cluster(
        ("worker 0", "worker 1"), ("one:2000", "two:2000"), 1)
    three = read({**TWO, "chief": ["[::1]:7"]}, type="worker", index="0")
    assert three.names == ("chief 0", "worker 0", "worker 1") and three.rank == 1
    assert three.addresses[0] == "[::1]:7"


@pytest.mark.parametrize("text", [
    None, "", " ", "{}", '{"cluster": {}}', '{"task": {"type": "worker", "index": 0}}',
    '{"cluster": {"worker": ["one:2000"]}, "task": {"type": "worker", "index": 0}}',
])
def test_one_process_is_alone(text):
    assert Cluster.read({} if text is None else {"TF_CONFIG": text}) is None


@pytest.mark.parametrize(("text", "message"), [
    ("host1,host2", r"expected JSON, as in \{.*Received: 'host1,host2'"),
    ("[]", "expected an object"),
    ({"cluster": ["one:1"]}, "lists of HOST:PORT"),
    ({"cluster": {"worker": "one:1"}}, "lists of HOST:PORT"),
    ({"cluster": {"worker": ["one"]}}, "lists of HOST:PORT"),
    ({"cluster": {"worker": ["one:70000"]}}, "lists of HOST:PORT"),
    ({"cluster": {**TWO, "ps": ["three:1"]}}, "Received: 'ps'"),
    ({"cluster": {"worker": ["one:1", "one:1"]}}, "an address for each process"),
    ({"cluster": TWO}, "'task' to be one of worker 0, worker 1"),
    ({"cluster": TWO, "task": {"type": "worker", "index": 2}}, "Received: 'worker 2'"),
    ({"cluster": {"worker": ["one:1"]}, "task": {"type": "worker", "index": 1}}, "'worker 1'"),
    ({"cluster": TWO, "task": {"type": "evaluator", "index": 0}}, "Received: 'evaluator 0'"),
])
def test_what_cannot_be_is_refused(text, message):
    text = text if isinstance(text, str) else json.dumps(text)
    with pytest.raises(InputError, match=f"TF_CONFIG: .*{message}"):
        Cluster.read({"TF_CONFIG": text})


def test_processes_wait_for_each_other():
    addresses = [f"127.0.0.1:{port}" for port in ports(2)]
    waited = []
    first, second = (read({"worker": addresses}, type="worker", index=index) for index in (0, 1))
    met = threading.Event()

    def late():
        second.meet(lambda text: None, 20)
        # As TensorFlow's server does.
        with socket.create_server(("", int(addresses[1].rpartition(":")[2]))):
            met.wait(20)

    thread = threading.Timer(0.5, late)
    thread.start()
    first.meet(waited.append, 20)
    met.set()
    thread.join()
    assert waited[-1] == f"waiting for worker 1 at {addresses[1]}"


def test_who_does_not_come_is_named():
    addresses = [f"127.0.0.1:{port}" for port in ports(2)]
    with pytest.raises(InputError, match=f"worker 1 at {addresses[1]} has not come within 0 s"):
        read({"worker": addresses}, type="worker", index=0).meet(lambda text: None, 0.3)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        each = read({"worker": [f"127.0.0.1:{port}", "two:1"]}, type="worker", index=0)
        with pytest.raises(InputError, match=f":{port}, which is worker 0's, cannot be used here"):
            each.meet(lambda text: None, 0.3)
