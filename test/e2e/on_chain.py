"""The stack with a chain: its controller and its registrar know it, and the registrar has a key."""

import json

from cluster import ClusterError, conditions_of, wait_until
from registry import MUCH, make_account
from stack import ADDRESS, NAMESPACE, offer

# As short as the flags allow; only who waits for another registrar's end needs them.
SHORT_LEASES = [
    "--leader-elect-lease-duration=3s",
    "--leader-elect-renew-deadline=2s",
    "--leader-elect-retry-period=1s",
]


class Operator:
    """Has given the stack a chain. `with` starts controller and registrar with it, and in the end without it again."""

    def __init__(self, stack, chain, namespace=NAMESPACE, urls=None):
        """`urls` are the nodes that the registrar asks; the chain's own as a rule."""
        self.stack = stack
        self.chain = chain
        self.namespace = namespace
        self.account = self.new_account()
        self._urls = urls or [chain.url]
        self._running = None
        self._controller_flags = []

    def __enter__(self):
        # What cannot be retired is let go before a test that waits for it gives up.
        self._controller_flags = ["--deletion-deadline=30s"]
        self.run()
        self.restart_controller()
        return self

    def __exit__(self, *_):
        for role in ("controller", "registrar"):
            if self.stack.cluster.processes[role].running:
                assert self.stack.cluster.processes[role].stop(timeout=40) == 0
            self.stack.start_role(role)
            self.stack.wait_ready(role)

    @property
    def config(self):
        return self.stack.cluster.directory / "on-chain.yaml"

    def new_account(self, wei=MUCH):
        account = make_account(self.stack.scripts, self.stack.cluster.directory)
        self.chain.fund(account.address, wei)
        return account

    def run(self, *flags, account=None, urls=None, lists=None, **chain):
        """Has the registrar run with these flags, key, nodes and entries of the chain; it is restarted only where it runs
        otherwise. None of the account's files with account=False."""
        flags = self.flags(*flags, account=account)
        text = self.config_text(urls, lists, **chain)
        process = self.stack.cluster.processes["registrar"]
        if self._running == (flags, text) and process.running:
            return
        if process.running:
            assert process.stop(timeout=40) == 0
        self.config.write_text(text)
        self._running = (flags, text)
        self.start()

    def start(self):
        """Again, as it ran last."""
        self.stack.start_role("registrar", *self._running[0])
        self.stack.wait_ready("registrar")

    def restart_controller(self):
        """So that it reads the operator's file again."""
        if self.stack.cluster.processes["controller"].running:
            assert self.stack.cluster.processes["controller"].stop(timeout=40) == 0
        self.stack.start_role("controller", f"--config={self.config}", *self._controller_flags)
        self.stack.wait_ready("controller")

    def kill(self):
        self.stack.cluster.processes["registrar"].kill()

    def start_again(self):
        """As the kubelet does it at once, without waiting for it to get ready."""
        self.stack.start_role("registrar", *self._running[0])

    def another(self, name, health_port):
        """One more registrar, as another pod, with the flags of the first."""
        own = {"health-listen": f"{ADDRESS}:{health_port}", "listen": f"{ADDRESS}:{health_port + 1}"}
        command = [_with_own(each, own) for each in self.stack.cluster.processes["registrar"].command]
        return self.stack.cluster.popen(command, name, env={"POD_NAME": name, "POD_UID": f"uid-of-{name}"})

    def job(self, *flags, name="registrar-job", timeout=60):
        """Runs a registrar to its end; returns (exit code, what it wrote)."""
        command = self.stack.cluster.processes["registrar"].command
        own = {"health-listen": f"{ADDRESS}:8096", "listen": f"{ADDRESS}:8097"}
        given = {flag.partition("=")[0] for flag in flags}
        command = [_with_own(each, own) for each in command if str(each).partition("=")[0] not in given] + [*flags]
        process = self.stack.cluster.popen(command, name, env={"POD_NAME": name, "POD_UID": f"uid-of-{name}"})
        wait_until(lambda: not process.running, timeout, f"{name} ends by itself", interval=0.1)
        return process.returncode, process.log()

    def flags(self, *more, account=None):
        own = [] if account is False else (account or self.account).flags
        return [f"--config={self.config}", *own, *more]

    def config_text(self, urls=None, lists=None, **chain):
        entry = {"name": "base-sepolia", "registry": self.chain.registry, "confirmations": 1, "rpcURLs": urls or self._urls}
        # Nobody waits here until another day.
        entry |= {"dailyTransactions": 4000, "dailySpend": "40"} | chain
        entry = {key: value for key, value in entry.items() if value is not None}
        text = self.stack.config.read_text()
        for name, value in ({"chains": [entry]} | (lists or {})).items():
            text += f"{name}: {json.dumps(value)}\n"
        return text

    # What a seller does.

    def sell(self, name, **registration):
        """Offers a service with a registration; returns the offer's UID."""
        made = offer(name, namespace=self.namespace, registration=True)
        made["spec"]["registration"] |= registration
        self.stack.cluster.apply(made)
        return self.stack.cluster.get("serviceoffer", name, self.namespace)["metadata"]["uid"]

    def change(self, name, **registration):
        """Changes fields of spec.registration; None takes one away."""
        self.stack.cluster.patch("serviceoffer", name, {"spec": {"registration": registration}}, self.namespace)

    def remove(self, *names, wait=True, timeout=60):
        self.stack.cluster.delete("serviceoffer", *names, ns=self.namespace, wait=wait, timeout=timeout)

    def is_sold(self, name):
        return self.stack.conditions(name, self.namespace).get("Ready", ("",))[0] == "True"

    def wait_sold(self, name):
        self.stack.wait_condition(name, "Ready", namespace=self.namespace)

    def events(self, name):
        """[(kind of the object, type, reason, note)] of an offer and its request."""
        found = self.stack.cluster.get("events.events.k8s.io", ns=self.namespace)["items"]
        names = (name, f"{name}-registration")
        return [
            (each["regarding"]["kind"], each["type"], each["reason"], each["note"])
            for each in found
            if each["regarding"]["name"] in names
        ]

    # What becomes of an offer's registration.

    def request(self, name):
        """The RegistrationRequest of that offer, or None."""
        return self.stack.cluster.get("registrationrequest", f"{name}-registration", self.namespace)

    def status(self, name):
        return (self.request(name) or {}).get("status", {})

    def registered(self, name):
        """The condition of the request: (status, reason, message)."""
        found = conditions_of(self.request(name) or {}).get("Registered", {})
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def wait_phase(self, name, phase="Confirmed", timeout=30):
        """The status once it has that phase for the spec as it is."""

        def arrived():
            request = self.request(name) or {"metadata": {}}
            status = request.get("status", {})
            generation = request["metadata"].get("generation")
            return status if (status.get("phase"), status.get("observedGeneration")) == (phase, generation) else None

        return self._waited(arrived, name, phase, timeout)

    def wait_reason(self, name, *reasons, timeout=30):
        """The message once the condition has one of these reasons."""

        def arrived():
            _, reason, message = self.registered(name)
            return message if reason in reasons else None

        return self._waited(arrived, name, " or ".join(reasons), timeout)

    def wait_gone(self, name, timeout=30):
        self._waited(lambda: self.request(name) is None, name, "no more", timeout)

    def agents(self, offer_uid=None, account=None):
        """Who was registered by the account, for that offer or at all."""
        every = self.chain.agents((account or self.account).address)
        return [each for each in every if offer_uid is None or each.uri.endswith(f"/{offer_uid}.json")]

    def _waited(self, condition, name, what, timeout):
        try:
            return wait_until(condition, timeout, f"{name}: the registration is {what}", interval=0.05)
        except ClusterError as late:
            raise ClusterError(f"{late}: {json.dumps(self.status(name))[:3000]}") from None


def _with_own(flag, own):
    name = str(flag).removeprefix("--").partition("=")[0]
    return f"--{name}={own[name]}" if name in own else flag
