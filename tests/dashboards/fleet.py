"""A fleet in one process with three jobs, and a Prometheus that scrapes it."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from prometheus import Prometheus

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180
# Rates look back for 20 s, recorded ones for a minute, and rules are evaluated every 15 s.
SETTLING_SECONDS = 35


@contextmanager
def watched_fleet(folder: Path) -> Iterator[Prometheus]:
    """The Prometheus of a fleet whose jobs have run for a while."""
    fulcrum = os.environ["FULCRUM_BINARY"]
    scheduler_http, optimizer_http, own = free_ports(3)
    scheduler = f"unix://{folder}/scheduler.sock"
    up = [fulcrum, "up", "--boards=3", f"--data={folder}/data", f"--scheduler={scheduler}"]
    up += [f"--optimizer=unix://{folder}/optimizer.sock"]
    up += [f"--http=127.0.0.1:{scheduler_http}", f"--optimizer-http=127.0.0.1:{optimizer_http}"]

    def order(*command: str) -> str:
        return subprocess.run(
            [fulcrum, *command, "--scheduler", scheduler], check=True, capture_output=True, text=True
        ).stdout

    ports = {"127.0.0.1:7621": scheduler_http, "127.0.0.1:7611": optimizer_http}
    config = adapted_config(folder / "prometheus", ports)
    serve = [f"{os.environ['PROMETHEUS']}/prometheus", f"--config.file={config}"]
    serve += [f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{own}"]
    prometheus = Prometheus(f"http://127.0.0.1:{own}")
    with running(up), running([*serve, "--log.level=warn"]):
        wait_for("all five targets are up", lambda: len(prometheus.instant("up == 1")) == 5)
        # One before the others, so that the counters of searches are seen to rise.
        runs = 'fulcrum_fleet_job_state{state="running"}'
        order("job", "submit", *jobs("hall"))
        wait_for("a job runs", lambda: len(prometheus.instant(runs)) == 1)
        order("job", "submit", *jobs("gate", "yard"))
        wait_for("all three jobs run", lambda: len(prometheus.instant(runs)) == 3)
        order("fleet", "power", "150W")
        time.sleep(SETTLING_SECONDS)
        yield prometheus


def jobs(*names: str) -> list[str]:
    return [str(ROOT / f"deploy/jobs/{name}.toml") for name in names]


def adapted_config(folder: Path, ports: dict[str, int]) -> Path:
    """A copy of the configuration with other ports, so that runs do not meet."""
    shutil.copytree(ROOT / "deploy/prometheus", folder)
    config = folder / "prometheus.yml"
    text = config.read_text()
    for address, port in ports.items():
        assert address in text, f"{address}, where `fulcrum up` serves, is not scraped"
        text = text.replace(address, f"127.0.0.1:{port}")
    config.write_text(text)
    return config


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command)
    try:
        yield
        assert process.poll() is None, f"{command[0]} ended by itself"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if holds():
                return
        except OSError:
            pass  # It does not listen yet.
        assert time.monotonic() < deadline, f"after {PATIENCE_SECONDS} s it does not hold that {what}"
        time.sleep(0.5)
