"""Every query of the dashboards, on a real Prometheus that scrapes a real fleet."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

DASHBOARDS = sorted(Path("deploy/grafana/dashboards").glob("*.json"))
PATIENCE_SECONDS = 150

# What may be empty where all is well, by dashboard and panel, and why.
MAY_BE_EMPTY = {
    ("fleet", "Power of the site", "max(fulcrum_fleet_site_power_watts)"): "no limit is set",
}


def queries(path: Path) -> Iterator[tuple[str, str]]:
    """The title and the text of each query of a dashboard."""
    dashboard = json.loads(path.read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


@dataclass
class Watched:
    """A fleet and the Prometheus that scrapes it."""

    prometheus: str
    scheduler: str
    optimizer: str

    def query(self, expression: str) -> list[Any]:
        query = urllib.parse.urlencode({"query": expression})
        try:
            answer = json.loads(get(f"{self.prometheus}/api/v1/query?{query}"))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return list(answer["data"]["result"])

    def metric_names(self) -> set[str]:
        agent = json.loads(get(f"{self.scheduler}/targets"))[0]["targets"][0]
        texts = [get(f"{at}/metrics") for at in (self.scheduler, self.optimizer, f"http://{agent}")]
        return {name for text in texts for name in re.findall(r"^(fulcrum_\w+)", text, re.M)}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("fleet")
    fulcrum = os.environ["FULCRUM_BINARY"]
    http, optimizer, prometheus = (f"127.0.0.1:{free_port()}" for _ in range(3))
    scheduler = f"unix://{folder}/scheduler.sock"
    # The same configuration at other ports, and quicker.
    config = Path("deploy/prometheus/prometheus.yml").read_text()
    config = config.replace("127.0.0.1:7621", http).replace("127.0.0.1:7611", optimizer)
    config = re.sub("(scrape|evaluation)_interval: .*", r"\1_interval: 2s", config)
    config = config.replace("scrape_timeout: 4s", "scrape_timeout: 2s")
    (folder / "prometheus.yml").write_text(config)
    (folder / "rules.yml").write_text(Path("deploy/prometheus/rules.yml").read_text())
    fleet = subprocess.Popen(
        [
            fulcrum,
            "up",
            "--boards=3",
            f"--data={folder}/data",
            f"--scheduler={scheduler}",
            f"--optimizer=unix://{folder}/optimizer.sock",
            f"--http={http}",
            f"--optimizer-http={optimizer}",
        ]
    )
    with (folder / "prometheus.log").open("w") as log:
        scraper = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address={prometheus}",
            ],
            stderr=log,
        )
    try:
        wait_for(lambda: (folder / "scheduler.sock").exists(), "the fleet starts")
        for job in ("gate", "yard", "hall"):
            submit = [fulcrum, "job", "submit", f"deploy/jobs/{job}.toml"]
            subprocess.run([*submit, f"--scheduler={scheduler}"], check=True)
        watched = Watched(f"http://{prometheus}", f"http://{http}", f"http://{optimizer}")
        wait_for(lambda: get(f"{watched.prometheus}/-/ready"), "Prometheus is ready")
        running = 'count(fulcrum_fleet_board_state{state="running"})'
        wait_for(lambda: value(watched.query(running)) == 3, "three boards run")
        # A rate needs two scrapes, and what is recorded of it one more.
        time.sleep(8)
        yield watched
    finally:
        for process in (scraper, fleet):
            process.terminate()
        for process in (scraper, fleet):
            process.wait(timeout=30)


def value(result: list[Any]) -> float | None:
    return float(result[0]["value"][1]) if result else None


def wait_for(condition: Any, what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < until, f"in vain waited until {what}"
        time.sleep(0.5)


def filled(expression: str, variables: dict[str, str]) -> str:
    """A query as Grafana asks it."""
    for name, chosen in variables.items():
        expression = expression.replace(f"${name}", chosen)
    return expression



@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_returns_data(path: Path, watched: Watched) -> None:
    # The board that answers requests under the job that has them: what it tells, all must tell.
    found = watched.query('fulcrum_fleet_board_state{fulcrum_job="gate"}')
    board = found[0]["metric"]["board"]
    variables = {
        **{"fulcrum_job": "gate", "board_model": ".+", "board": board},
        "__range": "1h",
    }
    empty = []
    for title, expression in queries(path):
        asked = filled(expression, variables)
        assert "$" not in asked, f"{title}: a variable is not known in {asked}"
        is_empty = not watched.query(asked)
        may_be = (path.stem, title, expression) in MAY_BE_EMPTY
        if is_empty != may_be and title != "Mode changes":
            empty.append(f"{title}: {asked} is {'empty' if is_empty else 'no longer empty'}")
    assert not empty, "\n".join(empty)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_variable_has_values(path: Path, watched: Watched) -> None:
    for variable in json.loads(path.read_text())["templating"]["list"]:
        if variable["type"] != "query":
            continue
        of = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
        assert of, variable["definition"]
        result = watched.query(of[1].replace("$fulcrum_job", "gate"))
        assert any(of[2] in series["metric"] for series in result), variable["definition"]


def test_mode_changes_were_seen(watched: Watched) -> None:
    # A mode was set while Prometheus looked: the level came to be there, or changed.
    changed = "sum(max_over_time(fulcrum_agent_mode_changes_total[10m]))"
    assert (value(watched.query(changed)) or 0) > 0


def test_what_is_asked_for_is_told(watched: Watched) -> None:
    rules = yaml.safe_load(Path("deploy/prometheus/rules.yml").read_text())
    all_rules = [rule for group in rules["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in all_rules if "record" in rule}
    asked = [expression for path in DASHBOARDS for _, expression in queries(path)]
    asked += [rule["expr"] for rule in all_rules]
    # The document has what is told only when it happens too; a test holds it against the code.
    documented = set(re.findall(r"^\| `(fulcrum_\w+)`", Path("docs/metrics.md").read_text(), re.M))
    of_histogram = re.compile("_(bucket|sum|count)$")
    told = {of_histogram.sub("", name) for name in watched.metric_names()}
    assert told <= documented, f"not in docs/metrics.md: {told - documented}"
    labels = {"fulcrum_job"}
    for expression in asked:
        for name in re.findall(r"(?<![\w:])fulcrum_\w+(?![\w:]*:)", expression):
            assert of_histogram.sub("", name) in documented | labels, f"nobody tells {name}"
        for name in re.findall(r"\w+:\w+:\w+", expression):
            assert name in recorded, f"nothing is recorded as {name}"


def test_nothing_fires_where_all_is_well(watched: Watched) -> None:
    firing = watched.query('ALERTS{alertstate="firing"}')
    assert not [alert["metric"]["alertname"] for alert in firing]


def test_the_rules_are_evaluated_without_errors(watched: Watched) -> None:
    groups = json.loads(get(f"{watched.prometheus}/api/v1/rules"))["data"]["groups"]
    troubles = [r["lastError"] for group in groups for r in group["rules"] if r.get("lastError")]
    assert groups and not troubles


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_the_dashboard_is_one_by_grafanas_schema(path: Path) -> None:
    given = json.loads(path.read_text())
    read = Dashboard.from_json(given)
    assert read.uid == given["uid"] and read.panels and len(read.panels) == len(given["panels"])
    kept = json.loads(json.dumps(read.to_json(), default=lambda part: part.to_json()))
    unknown = set(given) - set(kept)
    assert not unknown, f"no fields of a dashboard: {unknown}"
    for panel, of_schema in zip(given["panels"], kept["panels"], strict=True):
        assert set(panel) <= set(of_schema), set(panel) - set(of_schema)
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
