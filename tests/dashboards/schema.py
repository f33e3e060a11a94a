"""Holds JSON against Grafana's published schema, as the classes that grafana-foundation-sdk makes of it.

The classes load whatever they are given: unknown names are dropped, and types are not looked at. So each
name is looked up in `from_json`, and each value held against the type of its field. The npm package
@grafana/schema does not type panels' options and queries where they stand in a dashboard, so this is
the stricter of the two.
"""

import enum
import inspect
import re
import sys
import types
import typing
from typing import Any

from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import Runtime
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard, prometheus

register_default_plugins()

# A data source's own settings of an annotation, which the schema leaves to it: Prometheus has these.
OF_PROMETHEUS = {"step": str, "titleFormat": str, "tagKeys": str}


def complaints(document: dict[str, Any]) -> list[str]:
    """What is wrong with a dashboard, each with the path to it."""
    return list(against_class(document, dashboard.Dashboard, ""))


def fields(of: type) -> dict[str, Any]:
    """Types by their names in JSON. What is written but not read, as a mapping's type, is constant."""
    loads, tells = inspect.getsource(of.from_json), inspect.getsource(of.to_json)
    read = re.findall(r'if "(\w+)" in data:.*?args\["(\w+)"\]', loads, re.DOTALL)
    written = re.findall(r'^\s+"(\w+)": self\.(\w+),$', tells, re.MULTILINE)
    hints = typing.get_type_hints(of, vars(sys.modules[of.__module__]))
    constant = {name: typing.Literal[getattr(of(), attribute)] for name, attribute in written}
    return constant | {name: hints[attribute] for name, attribute in read}


def against_class(value: Any, of: type, path: str) -> typing.Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object ({of.__name__})"
        return
    known = fields(of)
    for name, inner in value.items():
        where = f"{path}.{name}"
        if of is dashboard.AnnotationQuery and name in OF_PROMETHEUS:
            yield from against(inner, OF_PROMETHEUS[name], where)
        elif name not in known:
            yield f"{where}: {of.__name__} has no such field"
        elif of is dashboard.Panel and name == "options":
            yield from against_class(inner, options_of(value["type"]), where)
        elif of is dashboard.Panel and name == "fieldConfig":
            yield from against_class(inner, typing.get_args(known[name])[0], where)
            custom = inner.get("defaults", {}).get("custom")
            if custom is not None:
                yield from against_class(custom, custom_of(value["type"]), f"{where}.defaults.custom")
        else:
            yield from against(inner, known[name], where)


def against(value: Any, hint: Any, path: str) -> typing.Iterator[str]:
    origin = typing.get_origin(hint)
    if hint in (object, Any):
        return
    if origin in (typing.Union, types.UnionType):
        choices = [one for one in typing.get_args(hint) if value is None or one is not type(None)]
        found = [list(against(value, one, path)) for one in choices]
        if all(found):
            yield from min(found, key=len)  # The nearest.
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is not a list"
            return
        for i, inner in enumerate(value):
            yield from against(inner, typing.get_args(hint)[0], f"{path}[{i}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is not an object"
            return
        for name, inner in value.items():
            yield from against(inner, typing.get_args(hint)[1], f"{path}.{name}")
    elif origin is typing.Literal:
        if value not in typing.get_args(hint):
            yield f"{path}: {value!r} is none of {typing.get_args(hint)}"
    elif hint is Dataquery:
        yield from against_class(value, prometheus.Dataquery, path)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in [one.value for one in hint]:
            yield f"{path}: {value!r} is none of {[one.value for one in hint]}"
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{path}: {value!r} is not a number"
    elif hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{path}: {value!r} is not a whole number"
    elif hint in (str, bool, type(None)):
        if not isinstance(value, hint):
            yield f"{path}: {value!r} is not of type {hint.__name__}"
    else:
        yield from against_class(value, hint, path)


def options_of(kind: str) -> type:
    return hooked(kind, "options_from_json_hook")


def custom_of(kind: str) -> type:
    return hooked(kind, "field_config_from_json_hook")


def hooked(kind: str, hook: str) -> type:
    config = Runtime().panelcfg_config(kind)
    assert config is not None, f"Grafana has no panel {kind}"
    loads = getattr(config, hook)
    assert loads is not None, f"a panel {kind} has none of that"
    return loads.__self__
