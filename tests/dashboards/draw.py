"""Draws the dashboards from a live fleet as pictures, to look at where no Grafana is at hand.

Titles, places, queries, legends, units, states' names and colours are the dashboards' own; how lines
look is not Grafana's.
"""

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from dashboards import FILES, choices, read, substituted  # noqa: E402
from fleet import watched_fleet  # noqa: E402
from prometheus import Prometheus  # noqa: E402

# Grafana's grid has 24 columns; a row of it is 30 pixels.
COLUMNS, INCHES_A_COLUMN, INCHES_A_ROW = 24, 0.75, 0.42
# So long the fleet lives before it is drawn.
SHOWN_SECONDS = int(os.environ.get("SECONDS_SHOWN", "150"))
PREFIXES = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ")]
SUFFIXES = {"watt": "W", "s": "s", "hertz": "Hz", "joule": "J", "bytes": "B", "reqps": "req/s"}


def shown(value: float, unit: str) -> str:
    """A value in a dashboard's unit."""
    if unit in ("percentunit", "percent"):
        return f"{value * (100 if unit == 'percentunit' else 1):.3g} %"
    if unit == "celsius":
        return f"{value:.3g} °C"
    suffix = unit.removeprefix("suffix:") if unit.startswith("suffix:") else SUFFIXES.get(unit, "")
    if not suffix or suffix.startswith("/"):
        return f"{value:.4g}{suffix}"
    factor, prefix = next(((f, p) for f, p in PREFIXES if abs(value) >= f), (1, ""))
    return f"{value / factor:.3g} {prefix}{suffix}"


def name_of(series: dict[str, Any], target: dict[str, Any]) -> str:
    labels = series["metric"]
    legend = target.get("legendFormat")
    if not legend or legend == "__auto":
        return ", ".join(f"{key}={value}" for key, value in labels.items() if key != "__name__")
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), legend)


def mapped(panel: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What a panel's values are called, and their colours."""
    defaults = panel["fieldConfig"]["defaults"]
    found: dict[str, dict[str, str]] = {}
    for mapping in defaults.get("mappings", []):
        if mapping["type"] == "value":
            found.update(mapping["options"])
    return found


def overridden(panel: dict[str, Any], name: str) -> dict[str, Any]:
    """What a panel says of one of its series alone."""
    found: dict[str, Any] = {}
    for override in panel["fieldConfig"].get("overrides", []):
        matcher = override["matcher"]
        pattern = str(matcher["options"])
        is_it = pattern == name or (
            matcher["id"] == "byRegexp" and re.search(pattern.strip("/"), name) is not None
        )
        if is_it:
            found.update({one["id"]: one.get("value") for one in override["properties"]})
    return found


def colour(name: str | None) -> str | None:
    known = {"semi-dark-": "dark", "dark-": "dark", "light-": "light", "super-light-": "light"}
    for prefix, tone in known.items():
        if name and name.startswith(prefix):
            name = tone + name.removeprefix(prefix)
    return name if name and matplotlib.colors.is_color_like(name) else None


def draw_lines(axes: Any, panel: dict[str, Any], found: list[tuple[str, Any]]) -> None:
    unit = panel["fieldConfig"]["defaults"].get("unit", "")
    right, lines = None, []
    began = min(series["values"][0][0] for _, series in found)
    for name, series in found:
        own = overridden(panel, name)
        times = [at - began for at, _ in series["values"]]
        values = [float(value) for _, value in series["values"]]
        dash = (own.get("custom.lineStyle") or {}).get("fill") == "dash"
        paint = colour((own.get("color") or {}).get("fixedColor"))
        axis = axes
        if own.get("custom.axisPlacement") == "right" or own.get("unit", unit) != unit:
            axis = right = right or axes.twinx()
            other = own.get("unit", unit)
            axis.yaxis.set_major_formatter(lambda value, _, other=other: shown(value, other))
            axis.tick_params(labelsize=5)
            name += " (right)"
        paint = paint or f"C{len(lines)}"
        style = "--" if dash else "-"
        lines += axis.plot(times, values, label=name, color=paint, linestyle=style, lw=1.2)
    axes.yaxis.set_major_formatter(lambda value, _: shown(value, unit))
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    if right:
        right.set_ylim(bottom=min(0, right.get_ylim()[0]))
    axes.legend(handles=lines, fontsize=5, loc="upper left", framealpha=0.5)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=5)


def draw_states(axes: Any, panel: dict[str, Any], found: list[tuple[str, Any]]) -> None:
    names = mapped(panel)
    began = min(series["values"][0][0] for _, series in found)
    for row, (name, series) in enumerate(found):
        for at, value in series["values"]:
            state = names.get(value, {})
            paint = colour(state.get("color")) or "lightgrey"
            axes.barh(row, 5, left=at - began, color=paint, height=0.8)
        last = series["values"][-1][1]
        axes.text(0, row, f"{name}: {names.get(last, {}).get('text', last)}", fontsize=6, va="center")
    axes.set_yticks([])
    axes.tick_params(labelsize=5)


def draw_numbers(axes: Any, panel: dict[str, Any], found: list[tuple[str, Any]]) -> None:
    unit = panel["fieldConfig"]["defaults"].get("unit", "")
    lines = []
    for name, series in found:
        own = overridden(panel, name)
        value = series["values"][-1][1]
        text = mapped(panel).get(value, {}).get("text")
        lines.append(f"{name}  {text or shown(float(value), own.get('unit', unit))}")
    axes.text(0.02, 0.95, "\n".join(lines[:14]), fontsize=7, va="top", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])


def draw(file: Path, values: dict[str, str], prometheus: Prometheus, to: Path) -> None:
    board = read(file)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    width, height = COLUMNS * INCHES_A_COLUMN, rows * INCHES_A_ROW
    figure = plt.figure(figsize=(width, height))
    for panel in board["panels"]:
        place = panel["gridPos"]
        left, bottom = place["x"] / COLUMNS, 1 - (place["y"] + place["h"]) / rows
        inner = (left + 0.03, bottom + 0.012)
        axes = figure.add_axes((*inner, place["w"] / COLUMNS - 0.04, place["h"] / rows - 0.035))
        axes.set_title(substituted(panel["title"], values), fontsize=8, loc="left")
        found = []
        for target in panel["targets"]:
            asked = substituted(target["expr"], values)
            for series in prometheus.over_time(asked, SHOWN_SECONDS):
                found.append((name_of(series, target), series))
        kinds = {"timeseries": draw_lines, "state-timeline": draw_states}
        if found:
            kinds.get(panel["type"], draw_numbers)(axes, panel, found)
        else:
            axes.text(0.5, 0.5, "No data", ha="center", transform=axes.transAxes)
    figure.savefig(to, dpi=110)
    plt.close(figure)
    print(to)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fulcrum", dir="/tmp") as temporary:
        with watched_fleet(Path(temporary)) as prometheus:
            time.sleep(max(0, SHOWN_SECONDS - 60))
            for file in FILES:
                values = choices(file, prometheus)[0]
                draw(file, values, prometheus, folder / f"{file.stem}.png")


if __name__ == "__main__":
    main()
