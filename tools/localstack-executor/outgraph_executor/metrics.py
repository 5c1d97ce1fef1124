"""
Puts the metrics that functions write to their logs in the Embedded Metric Format into LocalStack's
CloudWatch: AWS extracts them from the log lines, LocalStack does not. Functions do not wait: a line
is only queued, and a separate thread reads it within seconds. As in AWS, a line is skipped if it
cannot be read or put.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from localstack.aws.connect import connect_to

LOG = logging.getLogger(__name__)

# The lines of this many seconds are put together, so that a busy function needs few calls.
COLLECT_SECONDS = 1

# Maximum number of queued lines; further ones are dropped.
MAX_LINES = 10_000

# PutMetricData accepts at most this many metrics in a call, with this many values of each.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MAX_METRICS = 1_000
MAX_VALUES = 150


class Owner(NamedTuple):
    """The account and the region of a function's metrics."""

    account: str
    region: str


class Series(NamedTuple):
    """The properties that values have in common if they are put together."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    second: datetime


class MetricExtractor:
    """Takes lines of logs, and puts their metrics into CloudWatch. Never raises and never waits."""

    def __init__(self) -> None:
        self._lines: queue.Queue[tuple[Owner, str]] = queue.Queue(MAX_LINES)
        threading.Thread(target=self._run, name="outgraph-metrics", daemon=True).start()

    def take(self, owner: Owner, line: str) -> None:
        if '"_aws"' not in line:
            return
        try:
            self._lines.put_nowait((owner, line))
        except queue.Full:
            pass

    def _run(self) -> None:
        while True:
            lines = [self._lines.get()]
            time.sleep(COLLECT_SECONDS)
            while not self._lines.empty():
                lines.append(self._lines.get())
            by_owner: dict[Owner, list[str]] = defaultdict(list)
            for owner, line in lines:
                by_owner[owner].append(line)
            for owner, own_lines in by_owner.items():
                try:
                    put_metrics(owner, own_lines)
                except Exception as error:
                    LOG.warning("metrics of a function's log were left out: %s", error)


def put_metrics(owner: Owner, lines: list[str]) -> None:
    """Puts the metrics of some lines, the values of each series together."""
    values: dict[Series, list[float]] = defaultdict(list)
    for line in lines:
        for series, value in read_metrics(line):
            values[series].append(value)
    by_namespace: dict[str, list[dict]] = defaultdict(list)
    for series, own_values in values.items():
        for start in range(0, len(own_values), MAX_VALUES):
            by_namespace[series.namespace].append(metric_datum(series, own_values[start : start + MAX_VALUES]))
    cloudwatch = connect_to(aws_access_key_id=owner.account, region_name=owner.region).cloudwatch
    for namespace, data in by_namespace.items():
        for start in range(0, len(data), MAX_METRICS):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + MAX_METRICS])


def metric_datum(series: Series, values: list[float]) -> dict:
    return {
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
        "Unit": series.unit,
        "Timestamp": series.second,
        "Values": values,
        "Counts": [1] * len(values),
    }


def read_metrics(line: str) -> list[tuple[Series, float]]:
    """Returns the values in a line; none if it is not in the format."""
    try:
        return list(values_of(json.loads(line)))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError):
        return []


def values_of(document: dict) -> Iterator[tuple[Series, float]]:
    metadata = document["_aws"]
    second = datetime.fromtimestamp(metadata["Timestamp"] // 1000, UTC)
    for directive in metadata["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, str(document[name])) for name in names)
            for metric in directive["Metrics"]:
                series = Series(directive["Namespace"], metric["Name"], dimensions, metric.get("Unit", "None"), second)
                for value in numbers(document.get(metric["Name"])):
                    yield series, value


def numbers(value: object) -> list[float]:
    """Returns the values of a metric's target, which is a number or an array of numbers."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
