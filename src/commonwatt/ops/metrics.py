"""/metrics: how the server and the queue are doing, for Prometheus; no figure about a person or a meter."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, Summary
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from commonwatt import __version__
from commonwatt.jobs import queries as jobs
from commonwatt.kernel.clock import Clock
from commonwatt.notify.queries import mail_counts
from commonwatt.ops.answers import Receive, Scope, Send, answer
from commonwatt.ops.database import in_database
from commonwatt.ops.requests import RequestFacts
from commonwatt.outbox.queries import cursor_positions


class Metrics:
    """Counts requests, and answers who may ask."""

    def __init__(self, clock: Clock, *, open_to: Iterable[str]) -> None:
        self._networks = [ip_network(network) for network in open_to]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Database(clock))
        Gauge("commonwatt_info", "The version that runs.", ["version"], registry=self._registry).labels(__version__).set(1)
        labels = ["method", "route", "status"]
        self._seconds = Summary("commonwatt_request_seconds", "Requests and how long they took.", labels, registry=self._registry)

    def count(self, facts: RequestFacts) -> None:
        """Count a request that was answered."""
        method = facts.method if facts.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
        self._seconds.labels(method, facts.route, str(facts.status)).observe(facts.seconds)

    async def tell(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """The figures; for everybody who may not read them, there is no such page."""
        if not self._may_read(scope):
            await answer(send, 404, b"Not found.\n")
            return
        body = await in_database(generate_latest, self._registry)
        await answer(send, 200, body, content_type=CONTENT_TYPE_LATEST.encode())

    def _may_read(self, scope: Scope) -> bool:
        try:
            address = ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class _Database(Collector):
    """Figures that are read from the database when somebody asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the registry would otherwise collect once when this is registered, without a database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The queue, the deliverers and the mail."""
        state = jobs.queue_state(now=self._clock.now())
        counts = GaugeMetricFamily("commonwatt_jobs", "Jobs by state; failed ones of the last day.", labels=["state"])
        for name, value in (("due", state.due), ("running", state.running), ("failed", state.failed)):
            counts.add_metric([name], value)
        yield counts
        oldest = state.oldest_due_for.total_seconds()
        yield GaugeMetricFamily("commonwatt_jobs_oldest_due_seconds", "How long the oldest due job has waited.", value=oldest)
        waiting = GaugeMetricFamily("commonwatt_outbox_waiting", "Changes a deliverer has yet to act on.", labels=["deliverer"])
        for position in cursor_positions():
            waiting.add_metric([position.name], position.waiting)
        yield waiting
        mail = GaugeMetricFamily("commonwatt_mail", "Mails by state.", labels=["state"])
        mails = mail_counts()
        mail.add_metric(["waiting"], mails.waiting)
        mail.add_metric(["given_up"], mails.given_up)
        yield mail
