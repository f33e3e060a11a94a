"""Asks a Prometheus."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

SCRAPE_SECONDS = 5


class Prometheus:
    """A Prometheus at an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.began = time.time()

    def instant(self, expression: str) -> list[Any]:
        """Series that have a value now."""
        found = self.get("query", query=expression)["result"]
        return [series for series in found if series["value"][1] != "NaN"]

    def over_time(self, expression: str, seconds: float) -> list[Any]:
        """Series that had a value within the last so many seconds."""
        now = time.time()
        asked = {"query": expression, "start": now - seconds, "end": now, "step": SCRAPE_SECONDS}
        found = self.get("query_range", **asked)["result"]
        return [series for series in found if {value for _, value in series["values"]} != {"NaN"}]

    def label_values(self, label: str, selector: str) -> list[str]:
        """Values of a label of the series that a selector selects."""
        asked = {"match[]": selector, "start": self.began}
        return self.get(f"label/{label}/values", **asked)

    def get(self, path: str, **asked: Any) -> Any:
        """What the API answers; an error says what is wrong."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error).get("error", str(error))) from None
