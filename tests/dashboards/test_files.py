"""The dashboards, rules and their document as files: nothing runs."""

import json
import re
from pathlib import Path

import pytest
import yaml
from dashboards import FILES, read, rules
from fleet import ROOT
from schema import complaints

ALERTS = [rule for rule in rules() if "alert" in rule]
DOCUMENT = (ROOT / "docs/dashboards.md").read_text()
by_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
by_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


@by_file
def test_grafanas_schema_knows_everything_in_it(file: Path) -> None:
    assert complaints(read(file)) == []


def test_the_schema_is_looked_at() -> None:
    document = read(FILES[0])
    document["panels"][0]["options"]["legned"] = {}
    document["panels"][1]["fieldConfig"]["defaults"]["custom"] = {"lineWidth": "thick"}
    document["panels"][2]["targets"][0]["legendformat"] = "x"
    document["graphTooltip"] = 7
    assert len(complaints(document)) == 4, complaints(document)


@by_file
def test_a_dashboard_can_be_read_and_kept(file: Path) -> None:
    document = read(file)
    assert file.read_text() == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert "id" not in document and "version" not in document, "Grafana gives them"
    assert document["uid"] == f"fulcrum-{file.stem}"
    assert len(document["panels"]) <= 13
    titles = [panel["title"] for panel in document["panels"]]
    assert len(set(titles)) == len(titles)
    for panel in document["panels"]:
        assert panel["description"].endswith("."), f"{panel['title']}: what does it mean?"
        assert panel["fieldConfig"]["defaults"]["unit"], f"{panel['title']}: which unit?"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_links_lead_somewhere() -> None:
    texts = [file.read_text() for file in FILES] + [json.dumps(ALERTS)]
    for uid in re.findall(r"/d/([\w-]+)", " ".join(texts)):
        assert (ROOT / f"deploy/grafana/dashboards/{uid.removeprefix('fulcrum-')}.json").exists()


@by_alert
def test_an_alert_says_what_to_do(alert: dict) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(alert["annotations"]) == {"summary", "description", "action", "dashboard"}
    assert "for" in alert or "keep_firing_for" in alert
    assert f"### {alert['alert']}\n" in DOCUMENT


@by_alert
def test_an_alert_is_seen_to_fire_and_not_to(alert: dict) -> None:
    tests = yaml.safe_load((ROOT / "deploy/prometheus/rules.test.yml").read_text())["tests"]
    asked = f'ALERTS{{alertname="{alert["alert"]}",alertstate="firing"}}'
    fires = {
        bool(one["exp_samples"])
        for test in tests
        for one in test["promql_expr_test"]
        if one["expr"] == asked
    }
    assert fires == {True, False}


def test_the_document_tells_of_no_other_alert() -> None:
    assert re.findall(r"^### (Fulcrum\w+)$", DOCUMENT, re.M) == [rule["alert"] for rule in ALERTS]
