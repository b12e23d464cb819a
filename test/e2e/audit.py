"""What Portitor has written, by the API server's own account."""

import datetime
import time
import typing

from cluster import wait_until

ROLES = ("controller", "verifier", "registrar")
_READS = ("get", "list", "watch")


class Write(typing.NamedTuple):
    """One successful request that may have changed something."""

    asked: float  # Unix seconds
    done: float
    user: str  # the last part of its name: portitor-controller, admin
    credential: str  # tells apart two tokens of one user
    verb: str
    kind: str  # the plural, with the subresource if any: paymentroutes/status
    name: str  # empty where the server gave the name
    namespace: str
    code: int


class AuditTail:
    """The audit log of what is asked from now on. A line may come after others have seen what it tells of."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._from = cluster.audit_log.stat().st_size
        self._since = time.time()

    def writes(self, *users, kind=None, name=None):
        """Successful writes, oldest first, of these users and of that kind where given."""
        every = filter(None, map(_write, self._events()))
        return [
            each
            for each in every
            if (not users or each.user in users) and kind in (None, each.kind) and name in (None, each.name)
        ]

    def requests(self, user, kind):
        """What this user has asked of that kind that was no read, whatever came of it: the codes of the answers."""
        return [
            each["responseStatus"]["code"]
            for each in self._events()
            if each["verb"] not in _READS
            and each["user"]["username"].rpartition(":")[2] == user
            and _kind(each.get("objectRef", {})) == kind
        ]

    def seconds_to_repair(self, user, kind, name):
        """From the administrator's first write to the end of this user's last patch after it."""

        def repaired():
            spoilt = self.writes("admin", kind=kind, name=name)
            repairs = [
                each
                for each in self.writes(user, kind=kind, name=name)
                if each.verb == "patch" and spoilt and each.asked >= spoilt[0].asked
            ]
            return repairs and (repairs[-1].done - spoilt[0].asked,)

        (seconds,) = wait_until(repaired, 5, "the audit log tells of both writes")
        return seconds

    def portitor_writes(self):
        """What the roles have written beside their Leases."""
        return [each for each in self.writes(*(f"portitor-{role}" for role in ROLES)) if each.kind != "leases"]

    def writes_by_commands(self):
        """What commands of Portitor have asked for, with others' credentials than the roles', that is neither a read
        nor a dry run: verb and path."""
        return [
            (each["verb"], each["requestURI"])
            for each in self._by_commands()
            if each["verb"] not in ("get", "list") and "dryRun=All" not in each["requestURI"]
        ]

    def dry_runs_by_commands(self):
        """The kind and the name of each object that they have asked a dry run for."""
        return [
            (each["objectRef"]["resource"], each["objectRef"]["name"])
            for each in self._by_commands()
            if "dryRun=All" in each["requestURI"]
        ]

    def _by_commands(self):
        role = "system:serviceaccount:portitor:"
        return [
            each
            for each in self._events()
            if each.get("userAgent", "").startswith("portitor/") and not each["user"]["username"].startswith(role)
        ]

    def _events(self):
        every = self._cluster.audit_events(self._from)
        return [each for each in every if _seconds(each["requestReceivedTimestamp"]) >= self._since]


def _write(event):
    code = event.get("responseStatus", {}).get("code", 0)
    if event["verb"] in _READS or not 200 <= code < 300:
        return None
    what = event.get("objectRef", {})
    user = event["user"]
    return Write(
        asked=_seconds(event["requestReceivedTimestamp"]),
        done=_seconds(event["stageTimestamp"]),
        user=user["username"].rpartition(":")[2],
        credential=user.get("extra", {}).get("authentication.kubernetes.io/credential-id", [""])[0],
        verb=event["verb"],
        kind=_kind(what),
        name=what.get("name", ""),
        namespace=what.get("namespace", ""),
        code=code,
    )


def _kind(what):
    return "/".join(filter(None, [what.get("resource"), what.get("subresource")]))


def _seconds(stamp):
    return datetime.datetime.fromisoformat(stamp).timestamp()
