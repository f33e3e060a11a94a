"""The package against a real agent, whose binary FULCRUM_AGENT_BINARY names."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

import fulcrum

AGENT = os.environ.get("FULCRUM_AGENT_BINARY")
EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


class Agent:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.workers = str(self.folder / "workers.sock")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [AGENT, "--board", "simulated-orin-agx", "--log", "error"]
            + ["--socket", str(self.folder / "agent.sock"), "--state-dir", str(self.folder)]
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.socket(socket.AF_UNIX).connect(self.workers)
                return
            except OSError:
                assert time.monotonic() < deadline, "the agent does not start"
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agent(tmp_path):
    assert AGENT, "FULCRUM_AGENT_BINARY has to name the agent's binary"
    agent = Agent(tmp_path)
    yield agent
    agent.kill()


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def test_training_and_inference_never_run_at_once(agent):
    device = threading.Lock()
    at_once = []

    def run(seconds):
        if not device.acquire(blocking=False):
            at_once.append(time.monotonic())
            return
        time.sleep(seconds)
        device.release()

    def infer(requests):
        run(0.003)
        return [request * 2 for request in requests]

    stop = threading.Event()
    trained = []

    def loader():
        while not stop.is_set():
            yield 1

    def training():
        for batch in fulcrum.train(loader(), workload="a", batch_size=1, socket=agent.workers):
            run(0.005)
            trained.append(batch)

    thread = threading.Thread(target=training)
    thread.start()
    batcher = fulcrum.Batcher(
        infer, workload="b", batch_sizes=[1, 2, 4, 8], socket=agent.workers
    )
    until(lambda: batcher.attached)
    pending = []
    for request in range(200):
        pending.append(batcher.submit(request))
        time.sleep(0.004)
    assert [answer.result(timeout=10) for answer in pending] == [2 * r for r in range(200)]
    stop.set()
    thread.join(timeout=10)
    assert not at_once
    assert len(trained) > 40
    batcher.close()


def test_minibatches_of_next_to_no_time_keep_their_turn(agent):
    tenant = fulcrum.Tenant(workload="a", batch_size=1, socket=agent.workers)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        with tenant.grant():
            pass
    assert tenant.attached
    tenant.close()


def test_preemptible_training_yields_to_everyone_once_it_is_attached(agent, tmp_path):
    # In processes of their own, since there is no way back.
    program = """
import os, sys, threading
import fulcrum
threading.Thread(target=threading.Event().wait, daemon=True).start()
tenant = fulcrum.Tenant(workload="a", batch_size=1, socket=sys.argv[1], preemptible=True)
with tenant.grant():
    pass
policies = {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
print(tenant.attached, policies == {os.SCHED_IDLE}, policies == {os.SCHED_OTHER})
"""

    def says(path):
        command = [sys.executable, "-c", program, str(path)]
        source = str(pathlib.Path(fulcrum.__file__).parent.parent)
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, text=True, env={**os.environ, "PYTHONPATH": source}
        )
        return ended.stdout.split()

    assert says(agent.workers) == ["True", "True", "False"]
    assert says(tmp_path / "nobody.sock") == ["False", "False", "True"]


def test_what_infer_raises_belongs_to_those_who_asked(agent):
    def infer(requests):
        if "bad" in requests:
            raise ValueError("no such image")
        return requests

    batcher = fulcrum.Batcher(infer, workload="b", batch_sizes=[1], socket=agent.workers)
    with pytest.raises(ValueError, match="no such image"):
        batcher.submit("bad").result(timeout=10)
    assert batcher.submit("good").result(timeout=10) == "good"
    batcher.close()


def test_without_an_agent_everything_runs_and_one_warning_is_given(tmp_path, caplog):
    nobody = str(tmp_path / "nobody.sock")
    assert list(fulcrum.train([1, 2, 3], workload="a", batch_size=1, socket=nobody)) == [1, 2, 3]
    batcher = fulcrum.Batcher(lambda r: r, workload="b", batch_sizes=[4], socket=nobody)
    assert [batcher.submit(n).result(timeout=10) for n in range(10)] == list(range(10))
    batcher.close()
    said = [record.message for record in caplog.records]
    assert sum("a runs without turns: no agent at" in message for message in said) == 1, said
    assert sum("b runs without turns: no agent at" in message for message in said) == 1, said


def test_when_the_agent_dies_programs_go_on_and_find_the_next_one(agent):
    tenant = fulcrum.Tenant(workload="a", batch_size=1, socket=agent.workers)
    batcher = fulcrum.Batcher(lambda r: r, workload="b", batch_sizes=[4], socket=agent.workers)
    assert tenant.attached
    until(lambda: batcher.attached)
    agent.kill()
    for n in range(10):
        with tenant.grant():
            pass
        assert batcher.submit(n).result(timeout=10) == n
    assert not tenant.attached
    agent.start()

    def both_attached():
        with tenant.grant():
            time.sleep(0.001)
        return tenant.attached and batcher.attached

    until(both_attached)
    tenant.close()
    batcher.close()


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"workload": ""}, "workload: '' is no name of 1 to 256"),
        ({"workload": "a\n"}, "workload: 'a.n' is no name"),
        ({"workload": None}, "workload: None"),
        ({"size": 0}, "batch_sizes?: 0 is no whole number above zero"),
        ({"size": "16"}, "batch_sizes?: '16' is no whole number"),
        ({"size": 2.5}, "batch_sizes?: 2.5 is no whole number"),
        ({"fingerprint": "v 2"}, "fingerprint: 'v 2' is not at most 64 letters"),
        ({"fingerprint": 65 * "v"}, "fingerprint: 'v+' is not"),
    ],
)
def test_what_is_wrong_is_named_at_once_whether_there_is_an_agent_or_not(wrong, named, tmp_path):
    said = {"workload": "a", "size": 1, "fingerprint": "", **wrong}
    size = said.pop("size")
    said["socket"] = str(tmp_path / "nobody.sock")
    for start in (
        lambda: fulcrum.train([1], batch_size=size, **said),
        lambda: fulcrum.Tenant(batch_size=size, **said),
        lambda: fulcrum.Batcher(lambda r: r, batch_sizes=[4, size], **said),
    ):
        with pytest.raises(ValueError, match=named):
            start()


def test_a_batcher_needs_sizes_and_something_to_call():
    with pytest.raises(ValueError, match="batch_sizes: name 1 to 1024 sizes, not 0"):
        fulcrum.Batcher(lambda r: r, workload="b", batch_sizes=[])
    with pytest.raises(ValueError, match="batch_sizes: 8 is no list; write it like"):
        fulcrum.Batcher(lambda r: r, workload="b", batch_sizes=8)
    with pytest.raises(TypeError, match="infer: 3 cannot be called"):
        fulcrum.Batcher(3, workload="b", batch_sizes=[1])


def test_whatever_stands_for_a_whole_number_is_a_size(agent):
    class Sixteen:
        def __index__(self):
            return 16

    with fulcrum.Tenant(workload="a", batch_size=Sixteen(), socket=agent.workers) as tenant:
        assert tenant.attached
    assert not tenant.attached


def test_a_batcher_ends_with_its_block(agent):
    with fulcrum.Batcher(
        lambda r: r, workload="b", batch_sizes=(4, 1, 4), socket=agent.workers
    ) as batcher:
        until(lambda: batcher.attached)
        assert batcher.submit(7).result(timeout=10) == 7
    assert not batcher.attached
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(8)


def test_an_agent_that_refuses_is_quoted_and_left_alone_for_a_while(tmp_path, caplog):
    path = str(tmp_path / "workers.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    refused = []

    def refuse():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                attach = json.loads(connection.recv(4096))["attach"]
                connection.sendall(b'{"refused":{"reason":"64 workers are attached"}}\n')
            refused.append(attach["workload"])

    threading.Thread(target=refuse, daemon=True).start()
    with fulcrum.Tenant(workload="a", batch_size=1, socket=path) as tenant, fulcrum.Batcher(
        lambda r: r, workload="b", batch_sizes=[1], socket=path
    ) as batcher:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            with tenant.grant():
                assert batcher.submit(7).result(timeout=10) == 7
        assert not tenant.attached and not batcher.attached
    listener.close()
    assert sorted(refused) == ["a", "b"]
    said = {record.message for record in caplog.records}
    because = "runs without turns: the agent refused: 64 workers are attached"
    assert said == {f"a {because}", f"b {because}"}


@pytest.mark.parametrize("name", ["train.py", "infer.py"])
def test_the_examples_run(agent, name):
    environment = {
        **os.environ,
        "FULCRUM_WORKER_SOCKET": agent.workers,
        "PYTHONPATH": str(pathlib.Path(fulcrum.__file__).parent.parent),
    }
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / name), "50"],
        env=environment, capture_output=True, text=True, timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "without turns" not in ran.stderr, ran.stderr
    if name == "train.py":
        first, last = ran.stdout.split("loss ")[1].split(" -> ")
        assert float(last) < float(first)


def test_a_batcher_with_samples_is_measured_without_requests(tmp_path):
    path = str(tmp_path / "workers.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    sizes = []

    def infer(requests):
        sizes.append(requests)
        return requests

    batcher = fulcrum.Batcher(
        infer, workload="line", batch_sizes=[4], socket=path, sample=lambda: 7
    )
    connection, _ = listener.accept()
    lines = connection.makefile("rw")
    assert json.loads(lines.readline())["attach"]["rehearses"] is True
    for message in ({"welcome": {"worker": 1}}, {"rehearse": {"id": 8, "requests": 4}}):
        lines.write(json.dumps(message) + "\n")
        lines.flush()
    ran = json.loads(lines.readline())["ran"]
    assert (ran["grant"], ran["done"], len(ran["minibatches"])) == (8, True, 1)
    assert ran["minibatches"][0]["requests"] == 0
    assert sizes == [[7, 7, 7, 7]]
    batcher.close()
    listener.close()


def test_a_worker_whose_turn_stands_answers_by_itself_until_that_is_revoked(tmp_path):
    path = str(tmp_path / "agent.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    batcher = fulcrum.Batcher(
        lambda requests: [2 * request for request in requests],
        workload="b",
        batch_sizes=[1, 2, 4],
        socket=path,
    )
    agent, _ = listener.accept()
    agent.settimeout(10)
    lines = agent.makefile()

    def say(message):
        agent.sendall(json.dumps(message).encode() + b"\n")

    def hear(kind):
        message = json.loads(lines.readline())
        assert list(message) == [kind], message
        return message[kind]

    assert hear("attach")["stands"] is True
    say({"welcome": {"worker": 1}})
    sizes = [{"requests": 2, "hold_ns": 300_000_000}, {"requests": 4, "hold_ns": 0}]
    say({"stand": {"id": 7, "sizes": sizes}})
    until(lambda: batcher.attached)

    # Two are answered at once; one waits for another as long as it bears that.
    for requests, least in [(2, 0), (1, 0.29)]:
        began = time.monotonic()
        answers = [batcher.submit(request) for request in range(requests)]
        assert [answer.result(timeout=10) for answer in answers] == [0, 2][:requests]
        assert least <= time.monotonic() - began < least + 0.25
        arrived = [at for _ in range(requests) for at in hear("arrived")["at_ns"]]
        ran = hear("ran")
        assert (ran["grant"], ran["done"]) == (7, False)
        assert [minibatch["requests"] for minibatch in ran["minibatches"]] == [requests]
        assert arrived[-1] <= ran["minibatches"][0]["began_ns"]

    say({"revoke": {"id": 7}})
    assert hear("ran") == {"grant": 7, "minibatches": [], "done": True}
    answers = [batcher.submit(request) for request in range(4)]
    for _ in range(4):
        hear("arrived")
    time.sleep(0.05)
    assert not any(answer.done() for answer in answers)
    say({"grant": {"id": 8, "start_until_ns": None, "minibatches": 1, "requests": 3}})
    assert [minibatch["requests"] for minibatch in hear("ran")["minibatches"]] == [3]
    say({"stand": {"id": 9, "sizes": [{"requests": 1, "hold_ns": 0}]}})
    assert [answer.result(timeout=10) for answer in answers] == [0, 2, 4, 6]
    assert hear("ran")["grant"] == 9
    batcher.close()


def test_a_minibatch_of_a_turn_that_stands_is_as_large_as_the_oldest_bears():
    from fulcrum._standing import Standing

    sizes = [{"requests": 4, "hold_ns": 20}, {"requests": 8, "hold_ns": 15}]
    sizes.append({"requests": 16, "hold_ns": 5})
    answers = Standing.said({"id": 1, "sizes": sizes}).answers
    assert answers(0, 100) is None
    assert answers(3, 19) is None
    assert answers(3, 20) == 3
    assert answers(4, 0) == 4
    assert answers(20, 5) == 16
    assert answers(20, 6) == 8
    assert answers(20, 16) == 4
    assert answers(20, 21) == 16
