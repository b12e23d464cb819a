"""Rights by the API server's account: what a role's rules allow, and what it has used of them."""

import typing

NAMESPACE = "portitor"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


class Right(typing.NamedTuple):
    """One verb on one kind of objects."""

    verb: str
    group: str
    resource: str  # with its subresource: serviceoffers/status

    def __str__(self):
        return f"{self.verb} {self.resource}.{self.group}".rstrip(".")


def account(role):
    return f"system:serviceaccount:{NAMESPACE}:portitor-{role}"


def given(cluster, role):
    """What its ClusterRole and its Role allow."""
    found = [cluster.get("clusterrole", f"portitor-{role}"), cluster.get("role", f"portitor-{role}", NAMESPACE)]
    return {
        Right(verb, group, resource)
        for rules in filter(None, found)
        for rule in rules["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(cluster, role):
    """What it has used, whatever came of it, and what it was refused."""
    succeeded, refused = set(), set()
    for event in cluster.audit_events():
        what = event.get("objectRef")
        # Others use the accounts too, to show what these may not.
        by_portitor = event.get("userAgent", "").startswith("portitor/")
        if event["user"]["username"] != account(role) or not what or not by_portitor:
            continue
        resource = "/".join(filter(None, [what["resource"], what.get("subresource")]))
        right = Right(event["verb"], what.get("apiGroup", ""), resource)
        # A namespace that is going refuses what its rules allow.
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid":
            refused.add(right)
        else:
            succeeded.add(right)
            code = event.get("responseStatus", {}).get("code", 0)
            # An apply of what is not there yet is judged as a create as well.
            if event["verb"] == "patch" and code == 201:
                succeeded.add(right._replace(verb="create"))
    # A server that has just started refuses everybody until its rules are loaded: who was granted it, has it.
    return succeeded, refused - succeeded


def all_in(api, namespace):
    """Every right that an account has there, by the API server's own word."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "metadata": {"name": ""}}
    status = api.create(review | {"spec": {"namespace": namespace}})["status"]
    assert not status["incomplete"], status
    return {
        Right(verb, group, resource)
        for rule in status["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def allowed(client, role, right, namespace="", name=""):
    """The API server's own word; without a name, of all of them."""
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    spec = {"user": account(role), "groups": [f"system:serviceaccounts:{NAMESPACE}", "system:serviceaccounts", "system:authenticated"]}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": spec | {"resourceAttributes": attributes | {"namespace": namespace, "name": name}},
    }
    status, answer = client.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert status == 201, answer
    return answer["status"]["allowed"]
