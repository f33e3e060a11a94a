"""A client in Python, generated from the same protocol, against a fleet in one process."""

import os
import subprocess
import time
from pathlib import Path
from typing import Iterator

import grpc
import pytest
from fulcrum.v1 import plan_pb2, scheduler_pb2, scheduler_pb2_grpc

PATIENCE_SECONDS = 60


@pytest.fixture()
def fleet(tmp_path: Path) -> Iterator[scheduler_pb2_grpc.SchedulerServiceStub]:
    socket = tmp_path / "scheduler.sock"
    process = subprocess.Popen(
        [
            os.environ["FULCRUM_BINARY"],
            "up",
            "--boards=1",
            f"--data={tmp_path}",
            f"--scheduler=unix://{socket}",
            f"--optimizer=unix://{tmp_path}/optimizer.sock",
            "--http=none",
            "--optimizer-http=none",
        ]
    )
    try:
        # Over a local socket gRPC's own name for the server is none that HTTP/2 servers must accept.
        options = [("grpc.default_authority", "localhost")]
        channel = grpc.insecure_channel(f"unix://{socket}", options=options)
        grpc.channel_ready_future(channel).result(timeout=PATIENCE_SECONDS)
        yield scheduler_pb2_grpc.SchedulerServiceStub(channel)
        channel.close()
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def problem(power_watts: float) -> plan_pb2.Problem:
    return plan_pb2.Problem(
        train="resnet18",
        infer="mobilenet_v3",
        rate_hertz=60,
        latency_seconds=0.8,
        power_watts=power_watts,
    )


def test_a_job_runs_is_watched_and_cancelled(
    fleet: scheduler_pb2_grpc.SchedulerServiceStub,
) -> None:
    spec = scheduler_pb2.JobSpec(boards={"kind": "simulated"}, problem=problem(30))
    request = scheduler_pb2.SubmitJobRequest(name="jobs/j", spec=spec, request_id="once")
    assert fleet.SubmitJob(request).job.generation == 1
    assert fleet.SubmitJob(request).job.generation == 1, "it is safe to ask again"

    windows = 0
    for told in fleet.WatchJob(
        scheduler_pb2.WatchJobRequest(name="jobs/j"), timeout=PATIENCE_SECONDS
    ):
        windows += len(told.windows)
        if told.job.state == "running" and windows >= 2:
            break
    answer = fleet.GetJob(scheduler_pb2.GetJobRequest(name="jobs/j"))
    assert answer.plans[0].plan.peak_power_watts <= 30
    assert answer.boards[0].board.name == "boards/simulated-1"

    fleet.CancelJob(scheduler_pb2.CancelJobRequest(name="jobs/j"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while fleet.GetJob(scheduler_pb2.GetJobRequest(name="jobs/j")).job.state != "cancelled":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_wrong_is_refused_by_its_field(
    fleet: scheduler_pb2_grpc.SchedulerServiceStub,
) -> None:
    spec = scheduler_pb2.JobSpec(problem=problem(-30))
    with pytest.raises(grpc.RpcError) as refused:
        fleet.SubmitJob(scheduler_pb2.SubmitJobRequest(name="jobs/j", spec=spec))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "spec.problem.power_watts" in refused.value.details()
