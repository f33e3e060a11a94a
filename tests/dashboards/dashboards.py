"""The dashboards and rules as they are kept, and what they ask Prometheus."""

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import yaml

from fleet import ROOT
from prometheus import Prometheus

FILES = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
RULES_FILE = ROOT / "deploy/prometheus/rules.yml"
# What Grafana puts in for them when scrapes are 5 s apart and the last minute is shown.
BUILT_IN = {"__rate_interval": "20s", "__interval": "5s", "__range": "60s"}


@dataclass(frozen=True)
class Query:
    """What one panel or annotation asks, and where it stands."""

    dashboard: str
    place: str
    ref: str
    expression: str
    is_instant: bool = False

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.place}: {self.ref}"


def read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def panel_queries() -> Iterator[Query]:
    for file in FILES:
        for panel in read(file)["panels"]:
            for target in panel["targets"]:
                is_instant = target.get("instant", False)
                yield Query(file.stem, panel["title"], target["refId"], target["expr"], is_instant)


def annotation_queries() -> Iterator[Query]:
    for file in FILES:
        for annotation in read(file)["annotations"]["list"]:
            yield Query(file.stem, annotation["name"], "annotation", annotation["expr"])


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES_FILE.read_text())["groups"] for rule in group["rules"]]


def substituted(text: str, values: dict[str, str]) -> str:
    """A text with its variables replaced; one that is unknown is an error."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], text)


def choices(file: Path, prometheus: Prometheus) -> list[dict[str, str]]:
    """What a dashboard's variables may stand for: all of a multiple one at once, each of a single one."""
    known = [BUILT_IN]
    for variable in read(file)["templating"]["list"]:
        if variable["type"] == "datasource":
            continue
        longer = []
        for before in known:
            asked = substituted(variable["query"]["query"], before)
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", asked).groups()
            values = [value for value in prometheus.label_values(label, selector) if value]
            assert values, f"{file.stem}: variable {variable['name']}: {asked} has no values"
            chosen = ["(" + "|".join(values) + ")"] if variable["multi"] else values
            longer += [{**before, variable["name"]: value} for value in chosen]
        known = longer
    return known


def metric_names(expression: str) -> set[str]:
    """The names of Fulcrum's metrics in an expression: what is recorded has a colon."""
    unquoted = re.sub(r'"[^"]*"', "", expression)
    names = re.findall(r"[A-Za-z_][\w:]*", unquoted)
    return {name for name in names if "fulcrum_" in name and name != "fulcrum_job"}


def all_expressions() -> list[str]:
    queries = itertools.chain(panel_queries(), annotation_queries())
    return [query.expression for query in queries] + [rule["expr"] for rule in rules()]
