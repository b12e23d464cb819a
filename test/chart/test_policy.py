"""Rules that everything the chart makes keeps, with each values file."""

from renders import pods, select

ROLES = ("controller", "verifier", "registrar")
NAME = "app.kubernetes.io/name"


def containers(objects):
    for name, pod in pods(objects).items():
        for container in pod["spec"]["containers"]:
            yield f"{name}/{container['name']}", pod, container


def is_part(wanted, labels):
    return wanted.items() <= labels.items()


def test_pods_are_restricted(renders, values):
    for name, pod, container in containers(renders.objects(values)):
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True, name
        assert pod["spec"]["securityContext"]["runAsUser"] > 0, name
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        inner = container["securityContext"]
        assert inner["readOnlyRootFilesystem"] is True, name
        assert inner["allowPrivilegeEscalation"] is False, name
        assert inner["capabilities"] == {"drop": ["ALL"]}, name
        assert not inner.get("privileged"), name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod["spec"]), name
        assert not any("hostPath" in volume for volume in pod["spec"].get("volumes", [])), name
        assert pod["spec"]["enableServiceLinks"] is False, name


def test_images_are_pinned(renders, values):
    for name, _, container in containers(renders.objects(values)):
        image, _, digest = container["image"].partition("@")
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag not in ("", "latest"), name
        assert not digest or digest.startswith("sha256:"), name


def test_resources_have_requests_and_limits(renders, values):
    for name, _, container in containers(renders.objects(values)):
        for kind in ("requests", "limits"):
            assert {"cpu", "memory"} <= set(container["resources"][kind]), name


def test_no_secret_is_in_the_environment(renders, values):
    for name, _, container in containers(renders.objects(values)):
        for variable in container.get("env", []):
            assert "secretKeyRef" not in variable.get("valueFrom", {}), name
        assert "envFrom" not in container, name


def test_probes_ask_ports_that_exist(renders, values):
    for name, pod, container in containers(renders.objects(values)):
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        if not ports:
            assert name.startswith(("Job/", "Pod/")), name
            continue
        for probe in ("livenessProbe", "readinessProbe"):
            assert ports[container[probe]["httpGet"]["port"]] == 8081, name


def test_mounts_have_volumes_and_volumes_are_mounted(renders, values):
    for name, pod, container in containers(renders.objects(values)):
        volumes = [volume["name"] for volume in pod["spec"].get("volumes", [])]
        mounts = [mount["name"] for mount in container.get("volumeMounts", [])]
        assert sorted(volumes) == sorted(mounts), name


def test_pods_end_after_their_payments(renders, values):
    objects = renders.objects(values)
    for name, pod in pods(objects).items():
        if name.endswith("-verifier"):
            assert pod["spec"]["terminationGracePeriodSeconds"] >= 10 + 25 + 10 + 2 + 5


def test_the_gate_is_never_dropped_by_an_update(renders, values):
    for deployment in select(renders.objects(values), "Deployment"):
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            # Two verifiers never have the record of payments at once: docs/verifier.md says what that costs.
            claims = [each for each in deployment["spec"]["template"]["spec"]["volumes"] if "persistentVolumeClaim" in each]
            assert claims and deployment["metadata"]["name"].endswith("-verifier")
            continue
        rolling = deployment["spec"]["strategy"]["rollingUpdate"]
        assert (rolling["maxUnavailable"], rolling["maxSurge"]) == (0, 1)


def test_selectors_select_one_roles_pods(renders, values):
    objects = renders.objects(values)
    templates = pods(objects)
    for deployment in select(objects, "Deployment"):
        wanted = deployment["spec"]["selector"]["matchLabels"]
        chosen = [name for name, pod in templates.items() if is_part(wanted, pod["metadata"]["labels"])]
        assert chosen == [f"Deployment/{deployment['metadata']['name']}"]
        # What changes from one version to the next cannot be selected by.
        assert not set(wanted) & {"helm.sh/chart", "app.kubernetes.io/version"}
    for kind, field in (("Service", "selector"), ("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        for each in select(objects, kind):
            wanted = each["spec"][field]
            wanted = wanted.get("matchLabels", wanted)
            assert len([name for name, pod in templates.items() if is_part(wanted, pod["metadata"]["labels"])]) == 1


def test_services_lead_to_ports_that_exist(renders, values):
    objects = renders.objects(values)
    for service in select(objects, "Service"):
        (ports,) = [
            {port["name"] for port in pod["spec"]["containers"][0].get("ports", [])}
            for pod in pods(objects).values()
            if is_part(service["spec"]["selector"], pod["metadata"]["labels"])
        ]
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_network_policies_name_ports_that_exist(renders, values):
    objects = renders.objects(values)
    for policy in select(objects, "NetworkPolicy"):
        (ports,) = [
            {port["name"] for port in pod["spec"]["containers"][0].get("ports", [])}
            for pod in pods(objects).values()
            if is_part(policy["spec"]["podSelector"]["matchLabels"], pod["metadata"]["labels"])
        ]
        assert {port["port"] for rule in policy["spec"].get("ingress", []) for port in rule["ports"]} <= ports
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}


def test_the_gateway_alone_reaches_the_gate(renders, values):
    for policy in select(renders.objects(values), "NetworkPolicy", "verifier"):
        for rule in policy["spec"]["ingress"]:
            assert rule.get("from") or {port["port"] for port in rule["ports"]} == {"health"}


def test_facilitators_and_nodes_are_reached(renders):
    def ports(values, role):
        (policy,) = select(renders.objects(values), "NetworkPolicy", role)
        return {str(port["port"]) for rule in policy["spec"]["egress"] for port in rule.get("ports", [])}

    assert ports("minimal", "verifier") == {"53", "5353", "443", "6443"}
    assert ports("everything", "verifier") == {"53", "5353", "443", "6443", "8402", "8545", "8546"}
    assert ports("hardened", "verifier") == {"53", "5353", "443", "6443", "8443"}
    # The controller asks them which networks they serve.
    assert {"8443"} <= ports("hardened", "controller")
    assert ports("everything", "registrar") == {"53", "5353", "443", "6443", "8545", "8546"}
    # Its nodes, and the signer; facilitators are nothing to it.
    assert ports("hardened", "registrar") == {"53", "5353", "443", "6443", "9443"}


def test_a_service_monitor_finds_every_role(renders, values):
    objects = renders.objects(values)
    for monitor in select(objects, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        found = [service for service in select(objects, "Service") if is_part(wanted, service["metadata"]["labels"])]
        assert {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in found} == set(ROLES)
        for service in found:
            assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_rules_have_no_wildcards_and_no_secrets_but_named_ones(renders, values):
    for kind in ("ClusterRole", "Role"):
        for role in select(renders.objects(values), kind):
            for rule in role["rules"]:
                name = role["metadata"]["name"]
                for part in ("apiGroups", "resources", "verbs"):
                    assert "*" not in rule[part], name
                if "secrets" in rule["resources"]:
                    assert name.endswith("-registrar-signers"), name
                    assert (rule["resources"], rule["verbs"]) == (["secrets"], ["get"]), name
                    assert rule["resourceNames"] and kind == "Role", name
                assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), name
                makes_pods = {"pods", "deployments", "jobs", "daemonsets", "statefulsets"} & set(rule["resources"])
                assert not (makes_pods and {"create", "patch", "update"} & set(rule["verbs"])), name


def test_the_registrar_reads_the_secrets_of_its_list_and_no_others(renders, values):
    objects = renders.objects(values)
    given = {
        role["metadata"]["namespace"]: rule["resourceNames"]
        for role in select(objects, "Role", "registrar")
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    }
    listed = {"sellers": ["agent-key", "spare-key"], "models": ["agent-key"]} if values == "everything" else {}
    assert given == listed
    bound = {
        binding["metadata"]["namespace"]: binding["subjects"]
        for binding in select(objects, "RoleBinding", "registrar")
        if binding["roleRef"]["name"].endswith("-signers")
    }
    account = {"kind": "ServiceAccount", "name": "toll-registrar", "namespace": "portitor"}
    assert bound == dict.fromkeys(listed, [account])


def test_sellers_write_offers_and_nothing_else(renders):
    roles = {role["metadata"]["name"]: role for role in select(renders.objects("minimal"), "ClusterRole")}
    reading = {"get", "list", "watch"}
    for name, wanted in (
        ("portitor-edit", {"serviceoffers": reading | {"create", "update", "patch", "delete"}}),
        ("portitor-view", dict.fromkeys(["serviceoffers", "paymentroutes", "registrationrequests"], reading)),
    ):
        given = {}
        for rule in roles[name]["rules"]:
            assert rule["apiGroups"] == ["obol.org"]
            for resource in rule["resources"]:
                given.setdefault(resource, set()).update(rule["verbs"])
        assert given == wanted
    labels = roles["portitor-edit"]["metadata"]["labels"]
    assert labels["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"


def test_roles_and_accounts_that_are_named_exist(renders, values):
    objects = renders.objects(values)
    accounts = {each["metadata"]["name"] for each in select(objects, "ServiceAccount")}
    used = {pod["spec"]["serviceAccountName"] for pod in pods(objects).values()}
    assert used == accounts, "each role has an account of its own, and no other is made"
    assert len(accounts) == len(pods(objects))
    for kind in ("Role", "ClusterRole"):
        roles = {each["metadata"]["name"] for each in select(objects, kind)}
        for binding in select(objects, f"{kind}Binding"):
            assert binding["roleRef"]["name"] in roles
            assert {subject["name"] for subject in binding["subjects"]} <= accounts
            assert {subject["namespace"] for subject in binding["subjects"]} == {"portitor"}
    for account in select(objects, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def test_budgets_let_nodes_drain(renders, values):
    objects = renders.objects(values)
    deployments = {each["metadata"]["name"]: each["spec"]["replicas"] for each in select(objects, "Deployment")}
    for budget in select(objects, "PodDisruptionBudget"):
        assert deployments[budget["metadata"]["name"]] > 1
        assert budget["spec"]["maxUnavailable"] not in (0, "0%")
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    if values == "ha":
        assert len(select(objects, "PodDisruptionBudget")) == 3


def test_admission_fails_closed_and_is_bound(renders, values):
    objects = renders.objects(values)
    policies = {each["metadata"]["name"] for each in select(objects, "ValidatingAdmissionPolicy")}
    assert len(policies) == 3
    bindings = select(objects, "ValidatingAdmissionPolicyBinding")
    actions = {each["spec"]["policyName"]: each["spec"]["validationActions"] for each in bindings}
    assert actions.keys() == policies
    for policy in select(objects, "ValidatingAdmissionPolicy"):
        # That of offers only says what is not sold.
        only_warns = policy["metadata"]["name"].endswith("-offers")
        assert policy["spec"]["failurePolicy"] == ("Ignore" if only_warns else "Fail")
        assert actions[policy["metadata"]["name"]] == (["Warn"] if only_warns else ["Deny"])


def test_every_object_says_whose_it_is(renders, values):
    for each in renders.objects(values):
        labels = each["metadata"]["labels"]
        if each["kind"] == "CustomResourceDefinition":
            assert labels[NAME] == "portitor"
            continue
        assert {NAME, "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart"} <= set(labels)
        cluster_wide = each["kind"].startswith(("Cluster", "Validating"))
        assert ("namespace" in each["metadata"]) != cluster_wide, each["metadata"]["name"]


def test_what_runs_at_an_uninstall_is_there_only_then(renders):
    hooks = [
        each
        for each in renders.objects("minimal")
        if each["metadata"].get("annotations", {}).get("helm.sh/hook", "test") != "test"
    ]
    rights = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert {each["kind"] for each in hooks} == {"ServiceAccount", "NetworkPolicy", "Job"} | rights
    weights = {each["kind"]: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in hooks}
    assert max(weight for kind, weight in weights.items() if kind != "Job") < weights["Job"]
    for each in hooks:
        assert each["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
        assert "hook-succeeded" in each["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
