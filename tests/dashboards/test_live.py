"""What dashboards and rules ask, asked of a Prometheus that scrapes a fleet."""

import functools
import os
import re
import subprocess
import urllib.request
from typing import Callable, Iterator

import pytest
from dashboards import (
    FILES,
    Query,
    all_expressions,
    annotation_queries,
    choices,
    metric_names,
    panel_queries,
    rules,
    substituted,
)
from fleet import watched_fleet
from prometheus import Prometheus

RECENT_SECONDS = 30
# What a fleet that is well, of simulated boards, has no data for. Each entry has to be needed.
EMPTY = {("board", "What happened in this time", "I"): "a simulated board has no event counters"}
NOT_EXPORTED = {
    "fulcrum_board_events_total": "a simulated board has no event counters",
    "fulcrum_edge_audit_writable": "`fulcrum up` tells its audit to the log",
    "fulcrum_edge_certificate_expire_time_seconds": "`fulcrum up` has no certificate here",
}


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with watched_fleet(tmp_path_factory.mktemp("fleet")) as prometheus:
        yield prometheus


Choose = Callable[[str], list[dict[str, str]]]


@pytest.fixture(scope="session")
def chosen(prometheus: Prometheus) -> Choose:
    """What the variables of a dashboard, by its name, may stand for."""
    files = {file.stem: file for file in FILES}
    return functools.cache(lambda name: choices(files[name], prometheus))


def data_of(query: Query, values: dict[str, str], prometheus: Prometheus, seconds: float) -> list:
    expression = substituted(query.expression, values)
    if query.is_instant:
        return prometheus.instant(expression)
    return prometheus.over_time(expression, seconds)


@pytest.mark.parametrize("query", list(panel_queries()), ids=str)
def test_a_panel_has_data(query: Query, prometheus: Prometheus, chosen: Choose) -> None:
    data = [data_of(query, values, prometheus, RECENT_SECONDS) for values in chosen(query.dashboard)]
    why_empty = EMPTY.get((query.dashboard, query.place, query.ref))
    assert any(data) == (why_empty is None), why_empty or f"no data: {query.expression}"


@pytest.mark.parametrize("query", list(annotation_queries()), ids=str)
def test_an_annotation_has_data(query: Query, prometheus: Prometheus, chosen: Choose) -> None:
    whole = 600
    data = [data_of(query, values, prometheus, whole) for values in chosen(query.dashboard)]
    assert any(data), f"no data: {query.expression}"


def test_what_may_be_empty_is_in_a_dashboard() -> None:
    assert set(EMPTY) <= {(query.dashboard, query.place, query.ref) for query in panel_queries()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("record") or rule["alert"])
def test_a_rule_can_be_evaluated(rule: dict, prometheus: Prometheus) -> None:
    found = prometheus.instant(rule["expr"])
    assert found or "record" not in rule, "it records nothing"
    names = {rule.get("record"), rule.get("alert")} - {None}
    health = {
        known["health"]
        for group in prometheus.get("rules")["groups"]
        for known in group["rules"]
        if known["name"] in names
    }
    assert health == {"ok"}


def test_every_metric_is_exported(prometheus: Prometheus) -> None:
    exported = set(prometheus.label_values("__name__", '{__name__=~".*fulcrum_.*"}'))
    asked = set().union(*(metric_names(expression) for expression in all_expressions()))
    assert asked - exported == set(NOT_EXPORTED)


def test_all_targets_are_scraped(prometheus: Prometheus) -> None:
    targets = prometheus.get("targets")["activeTargets"]
    assert [target["lastError"] for target in targets] == [""] * 5
    boards = {target["labels"].get("board") for target in targets}
    assert boards == {None, "simulated-1", "simulated-2", "simulated-3"}


def test_what_is_exported_is_well_formed(prometheus: Prometheus) -> None:
    """Prometheus' own check knows its older format alone, in which a counter is named with _total."""
    targets = prometheus.get("targets")["activeTargets"]
    for target in targets:
        with urllib.request.urlopen(target["scrapeUrl"], timeout=10) as answer:
            assert answer.headers["content-type"].startswith("application/openmetrics-text")
            text = answer.read().decode()
        assert text.endswith("\n# EOF\n")
        for counter in re.findall(r"^# TYPE (\w+) counter$", text, re.M):
            text = re.sub(rf"^# (TYPE|HELP) {counter} ", rf"# \1 {counter}_total ", text, flags=re.M)
        checked = subprocess.run(
            [f"{os.environ['PROMETHEUS']}/promtool", "check", "metrics"],
            input=text,
            capture_output=True,
            text=True,
        )
        assert (checked.returncode, checked.stderr) == (0, ""), target["scrapeUrl"]
