"""Tables of gate and stream. Columns are what is searched for; the rest of a value is a blob."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

__all__ = [
    "aa",
    "anomalies",
    "attempts",
    "audit",
    "changes",
    "deliveries",
    "feedback",
    "fitted",
    "learned",
    "metadata",
    "modes",
    "notices",
    "overrides",
    "plans",
    "points",
    "policies",
    "revisions",
    "scans",
    "stream_chunks",
    "stream_events",
    "stream_marks",
    "stream_said",
    "stream_series",
    "stream_tunings",
    "stream_workers",
    "verdicts",
    "versions",
]

metadata = MetaData()

attempts = Table(
    "attempts",
    metadata,
    Column("id", String, primary_key=True),
    Column("identity", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("cluster", String),
    Column("namespace", String),
    Column("service", String, nullable=False),
    Column("rollout", String),
    Column("canary", String, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("last_asked", Float, nullable=False),
    Column("started_at", Float),
    Column("interval_s", Float),
    Column("policy_digest", String, nullable=False),
    Column("engine", String, nullable=False),
    Column("latched_at", Float),
    Column("evaluated_to", Float),
    Column("head", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Two processes that answer for one attempt: the second to write reads anew.
    Column("version", Integer, nullable=False, server_default="1"),
    Column("follows", String, nullable=False, server_default=""),
    Index("attempts_of", "identity", "asked_at"),
    Index("attempts_follow", "identity", "follows", unique=True),
    Index("attempts_old", "last_asked"),
)

# Fixed when the attempt starts and large beside the rest: written once, not at every poll.
plans = Table(
    "plans",
    metadata,
    Column("attempt", ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", String, primary_key=True),
    Column("attempt", ForeignKey("attempts.id", ondelete="CASCADE"), nullable=False),
    Column("tenant", String, nullable=False),
    Column("service", String, nullable=False),
    Column("rollout", String),
    Column("outcome", String, nullable=False),
    Column("as_of", Float, nullable=False),
    Column("written_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("verdicts_of", "attempt", "id"),
    Index("verdicts_service", "service", "id"),
    Index("verdicts_old", "outcome", "written_at"),
)

points = Table(
    "points",
    metadata,
    Column("hash", String, primary_key=True),
    Column("attempt", ForeignKey("attempts.id", ondelete="CASCADE"), nullable=False),
    Column("prev", String, nullable=False),
    Column("written_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("points_of", "attempt"),
)

policies = Table(
    "policies",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

overrides = Table(
    "overrides",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("attempt", ForeignKey("attempts.id", ondelete="CASCADE"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("overrides_of", "attempt", "number"),
)

modes = Table(
    "modes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("modes_of", "tenant", "number"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("scope", String, nullable=False),
    Column("key", String, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("scope", "key", "since"),
)

# Self-checks of services: what the gate says of pods that changed nothing.
aa = Table(
    "aa",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("scope", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("aa_of", "scope", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("audit_at", "at"),
)

# What was changed, as senders told it. Times are whole milliseconds.
changes = Table(
    "changes",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # When it ended, or was last told of.
    Column("last_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("changes_newest", "tenant", "started_at", "id"),
    Index("changes_service", "tenant", "service", "started_at"),
    Index("changes_old", "last_at"),
)

# What people are told. The outbox is written with the answer, a row for each who is to hear it.
notices = Table(
    "notices",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("notices_old", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("notice", ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("notifier", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("settled_at", Float),
    Column("words", String),
    Column("thread", String),
    Column("nth", Integer, nullable=False),
    Column("receipt", String),
    Index("deliveries_due", "notifier", "state", "due_at"),
    Index("deliveries_thread", "notifier", "thread", "nth"),
)

# The stream. Times are whole milliseconds. `part` is what one operator owns: `local`, or a
# partition of a topic; what it holds, and up to where it read, is written in one transaction.
anomalies = Table(
    "anomalies",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("service", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    # A replay tells again what was told: an older event does not replace a newer one.
    Column("told_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("anomalies_newest", "tenant", "start", "id"),
    Index("anomalies_service", "tenant", "service", "start"),
    Index("anomalies_old", "end"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("anomaly", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("feedback_of", "anomaly", "number"),
)

stream_marks = Table(
    "stream_marks",
    metadata,
    Column("part", String, primary_key=True),
    # Whoever takes a part raises it; who still has the old one can write no more.
    Column("epoch", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)

stream_chunks = Table(
    "stream_chunks",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

stream_series = Table(
    "stream_series",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

stream_tunings = Table(
    "stream_tunings",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("series", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# Events of the parts that workers own, as they are told: kept for those who follow them, and sent
# on to a topic. A replay tells the same ones again, under the same keys.
stream_events = Table(
    "stream_events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("part", String, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("nth", Integer, nullable=False),
    Column("kept_at", Float, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("part", "position", "nth"),
    Index("stream_events_due", "part", "sent", "number"),
)

# Who works on a part, and how far it is: for people. What fences is the epoch of its mark.
stream_workers = Table(
    "stream_workers",
    metadata,
    Column("part", String, primary_key=True),
    Column("worker", String, nullable=False),
    Column("taken_at", Float, nullable=False),
    Column("wrote_at", Float),
    # The newest sample, in unix milliseconds.
    Column("newest", BigInteger),
    Column("words", String, nullable=False),
)

# What people said of anomalies of workers, in the order in which its part is to hear it.
stream_said = Table(
    "stream_said",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("part", String, nullable=False),
    Column("applied", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("stream_said_to", "part", "number"),
)

# Models of services, fitted on their past: what is used is the newest that was promoted.
fitted = Table(
    "fitted",
    metadata,
    Column("scope", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("promoted", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Logs and traces. What follows of a record is written with the position of it in one transaction,
# so that it is counted once: what is told again up to there is passed over.
own_marks = Table(
    "own_marks",
    metadata,
    Column("part", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# Counters that are our own, with what they stand at; `seen` is when they last rose.
own_series = Table(
    "own_series",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    # Those of one pod, which live as long as anything of it is heard.
    Column("owner", BigInteger, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("born", BigInteger, nullable=False),
    Column("total", Float, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("own_series_old", "part", "seen"),
)

# What the counters stood at: of all that live where it is `whole`, else of those that rose.
own_frames = Table(
    "own_frames",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("whole", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

log_templates = Table(
    "log_templates",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("text", String, nullable=False),
    Column("sample", String, nullable=False),
    # When its first line came in, as against when that was written.
    Column("came", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("log_templates_newest", "tenant", "came", "id"),
    Index("log_templates_old", "last"),
)

log_days = Table(
    "log_days",
    metadata,
    Column("part", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("level", Integer, primary_key=True),
    # Days since 1970-01-01.
    Column("day", Integer, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("log_days_old", "day"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("severity", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("incidents_newest", "tenant", "began", "id"),
    Index("incidents_old", "ended"),
)

incident_services = Table(
    "incident_services",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("incident", String, primary_key=True),
    Column("service", String, primary_key=True),
    Index("incident_services_of", "tenant", "service"),
)

# What is told of incidents, numbered in the order in which it happened.
incident_events = Table(
    "incident_events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("incident", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

incident_said = Table(
    "incident_said",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("incident", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("incident_said_of", "tenant", "incident"),
)

# What the correlation remembers of a tenant; how far it heard is among `own_marks`.
incident_states = Table(
    "incident_states",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# What others tell of what is wrong, until it is a part of an incident.
incident_inbox = Table(
    "incident_inbox",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Who was told of which incident, what was held back, and why.
alert_histories = Table(
    "alert_histories",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# What was learned of kinds of changes and applied, each version of it.
learned = Table(
    "learned",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# What security scanners found in revisions.
scans = Table(
    "scans",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("scans_service", "tenant", "service", "revision", "at"),
    Index("scans_old", "at"),
)

# Reports that were made, each with its content as JSON, packed.
reports = Table(
    "reports",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("horizon_s", BigInteger, nullable=False),
    Column("scope", String, nullable=False),
    Column("title", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("reports_newest", "tenant", "at", "id"),
    Index("reports_old", "at"),
)

# Which versions of services were seen, by whoever looks for deployments that nobody tells.
versions = Table(
    "versions",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("versions_old", "at"),
)

# What was told of burns of error budgets, by objective.
burns = Table(
    "burns",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
