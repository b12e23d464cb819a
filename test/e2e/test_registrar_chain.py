"""Registrations on a real chain: made, changed, ended and taken over, as the seller and the operator say."""

import base64
import contextlib
import json
import re
import secrets
import time
from pathlib import Path

import pytest
import x402
from cluster import wait_until
from registry import CHAIN_ID, ETHER, GWEI, MUCH, REGISTRY, make_account
from stack import GATEWAY

NAMESPACE = "agents"
PORT, SIGNER_PORT = 8570, 8571
CHANGES = "--min-interval=1s"


@pytest.fixture
def operator(started):
    """Whatever a test has changed, it is as it was afterwards, and without offers."""
    started.run(CHANGES)
    yield started
    started.run(CHANGES)
    started.stack.remove_offers(NAMESPACE)


def document_at(operator, uri):
    """What is behind an https agentURI, or in a data: one."""
    head = "data:application/json;base64,"
    if uri.startswith(head):
        return json.loads(base64.b64decode(uri.removeprefix(head), validate=True))
    assert uri.startswith(GATEWAY)
    return json.loads(operator.stack.get(uri.removeprefix(GATEWAY)).body)


def entry(agent):
    return {"agentId": agent, "agentRegistry": f"eip155:{CHAIN_ID}:{REGISTRY}"}


def entries(document):
    """Its registrations; addresses may be written either way."""
    return [each | {"agentRegistry": each["agentRegistry"].lower()} for each in document["registrations"]]


def test_an_offer_is_registered_once_and_says_as_what(operator, chain):
    before = chain.sent(operator.account.address)
    uid = operator.sell("first")
    status = operator.wait_phase("first")
    agent, = operator.agents(uid)
    assert (status["agentId"], status["txHash"]) == (str(agent.id), agent.transaction)
    assert chain.owner_of(agent.id) == operator.account.address
    assert chain.uri_of(agent.id) == agent.uri == operator.request("first")["spec"]["agentURI"]
    assert chain.sent(operator.account.address) == before + 1
    # It is kept for another look at the block.
    assert status["writeAhead"]["confirmed"] is True

    # The seller sees it on the offer.
    operator.stack.wait_condition("first", "Registered", namespace=NAMESPACE)
    _, reason, message = operator.stack.conditions("first", NAMESPACE)["Registered"]
    assert reason == "Confirmed" and str(agent.id) in message
    told = operator.stack.cluster.get("serviceoffer", "first", NAMESPACE)["status"]
    assert (told["agentId"], told["registrationTxHash"]) == (str(agent.id), agent.transaction)
    for kind in ("ServiceOffer", "RegistrationRequest"):
        told = wait_until(
            lambda: [note for of, _, reason, note in operator.events("first") if of == kind and "Confirmed" in reason],
            5,
            f"an Event of the {kind} tells of it",
        )
        assert str(agent.id) in told[0]

    # An agent that comes from the chain finds the document, and the document names the agent.
    wait_until(lambda: entries(document_at(operator, agent.uri)) == [entry(agent.id)], 10, "the document names it")
    document = document_at(operator, agent.uri)
    assert (document["active"], document["x402Support"]) == (True, True)
    domain = json.loads(operator.stack.get("/.well-known/agent-registration.json").body)
    assert entry(agent.id) in entries(domain)


def test_the_first_agent_of_a_registry_has_the_id_0(operator, chain):
    # Whoever is first here has it, and is what it is called.
    if not chain.agents():
        operator.sell("zero")
        assert operator.wait_phase("zero")["agentId"] == "0"
        assert operator.stack.cluster.get("serviceoffer", "zero", NAMESPACE)["status"]["agentId"] == "0"
    assert chain.agents()[0].id == 0


def test_a_deleted_offer_leaves_a_document_that_says_so(operator, chain):
    uid = operator.sell("brief")
    operator.wait_phase("brief")
    agent, = operator.agents(uid)
    before = chain.sent(operator.account.address)
    operator.remove("brief")
    assert operator.request("brief") is None
    tombstone = chain.uri_of(agent.id)
    assert len(base64.b64decode(tombstone.partition(",")[2])) <= 300
    document = document_at(operator, tombstone)
    assert (document["active"], document["x402Support"], entries(document)) == (False, False, [entry(agent.id)])
    assert chain.owner_of(agent.id) == operator.account.address
    assert [each[0] for each in chain.changes(agent.id)[1:]] == ["uri"]
    assert chain.sent(operator.account.address) == before + 1


def test_metadata_is_written_with_the_registration_and_later_only_where_it_differs(operator, chain):
    uid = operator.sell("tagged", metadata={"tier": "gold", "region": "eu"})
    operator.wait_phase("tagged")
    agent, = operator.agents(uid)
    assert chain.metadata(agent.id, "tier") == b"gold" and chain.metadata(agent.id, "region") == b"eu"
    made = chain.changes(agent.id)
    before = chain.sent(operator.account.address)
    operator.change("tagged", metadata={"tier": "silver"})
    wait_until(lambda: chain.metadata(agent.id, "tier") == b"silver", 20, "the value is changed")
    operator.wait_phase("tagged")
    assert chain.changes(agent.id)[len(made) :] == [("tier", agent.id, b"silver")]
    # What it says of itself is in the document, to which the same URI leads.
    operator.change("tagged", description="something else")
    wait_until(lambda: document_at(operator, agent.uri)["description"] == "something else", 10, "the document is new")
    operator.wait_phase("tagged")
    assert chain.sent(operator.account.address) == before + 1


def test_a_registration_that_is_turned_off_and_on_again_is_the_same_agent(operator, chain):
    uid = operator.sell("moody")
    operator.wait_phase("moody")
    agent, = operator.agents(uid)
    operator.change("moody", enabled=False)
    wait_until(lambda: chain.uri_of(agent.id) != agent.uri, 30, "the agent is retired")
    assert document_at(operator, chain.uri_of(agent.id))["active"] is False
    wait_until(lambda: operator.stack.conditions("moody", NAMESPACE)["Registered"][1] == "Disabled", 30, "it says so")
    assert operator.is_sold("moody")
    operator.change("moody", enabled=True)
    wait_until(lambda: chain.uri_of(agent.id) == agent.uri, 30, "the agent is back")
    assert operator.wait_phase("moody")["agentId"] == str(agent.id)
    assert [each.id for each in operator.agents(uid)] == [agent.id]


def test_what_is_undone_by_others_is_not_paid_for_again_and_again(operator, chain):
    """An agent that was given away is not the operator's any more: that is said, and nobody is registered in its place."""
    uid = operator.sell("lost", metadata={"tier": "gold"})
    operator.wait_phase("lost")
    agent, = operator.agents(uid)
    chain.transfer(operator.account.address, "0x" + "11" * 20, agent.id)
    before = chain.sent(operator.account.address)
    operator.change("lost", metadata={"tier": "silver"})
    message = operator.wait_reason("lost", "NotOwner")
    assert str(agent.id) in message
    assert operator.is_sold("lost")
    assert chain.sent(operator.account.address) == before
    assert [each.id for each in operator.agents(uid)] == [agent.id]
    operator.remove("lost")


class TestIdentities:
    """Agents that the operator's account has already."""

    OLD = "https://example.com/before.json"

    def give(self, operator, chain, agent, **more):
        """The operator lets offers of the namespace have it."""
        listed = {"chain": "base-sepolia", "agentId": str(agent), "namespace": NAMESPACE} | more
        operator.run(CHANGES, lists={"identities": [listed]})

    def test_one_is_taken_over_and_kept(self, operator, chain):
        agent = chain.register(operator.account.address, self.OLD)
        self.give(operator, chain, agent)
        uid = operator.sell("heir", agentId=str(agent))
        status = operator.wait_phase("heir")
        assert status["agentId"] == str(agent) and status["previousURI"] == self.OLD
        assert chain.uri_of(agent) == operator.request("heir")["spec"]["agentURI"]
        assert operator.agents(uid) == []
        assert entries(document_at(operator, chain.uri_of(agent))) == [entry(agent)]
        operator.remove("heir")
        assert operator.request("heir") is None
        # Another offer, of this cluster or of another one, goes on with it: the address stays until then.
        assert chain.uri_of(agent).endswith(f"/{uid}.json")

    def test_one_is_given_back_where_the_operator_says_so(self, operator, chain):
        agent = chain.register(operator.account.address, self.OLD)
        self.give(operator, chain, agent, handBack=True)
        operator.sell("guest", agentId=str(agent))
        operator.wait_phase("guest")
        assert chain.uri_of(agent) != self.OLD
        operator.remove("guest")
        assert chain.uri_of(agent) == self.OLD

    def test_only_one_offer_has_it(self, operator, chain):
        agent = chain.register(operator.account.address, self.OLD)
        self.give(operator, chain, agent)
        operator.sell("older", agentId=str(agent))
        operator.wait_phase("older")
        operator.sell("younger", agentId=str(agent))
        assert "older" in operator.wait_reason("younger", "IdentityTaken")
        assert operator.is_sold("younger")
        operator.remove("younger")
        operator.wait_phase("older")
        assert chain.uri_of(agent) == operator.request("older")["spec"]["agentURI"]
        operator.remove("older")

    def test_an_entry_that_is_taken_away_holds_no_deletion(self, operator, chain):
        agent = chain.register(operator.account.address, self.OLD)
        self.give(operator, chain, agent, handBack=True)
        operator.sell("outlived", agentId=str(agent))
        operator.wait_phase("outlived")
        before = chain.sent(operator.account.address)
        operator.run(CHANGES)
        operator.remove("outlived", timeout=20)
        assert chain.sent(operator.account.address) == before

    def test_none_without_the_operators_word(self, operator, chain):
        agent = chain.register(operator.account.address, self.OLD)
        self.give(operator, chain, agent, namespace="elsewhere")
        before = chain.sent(operator.account.address)
        operator.sell("thief", agentId=str(agent))
        message = operator.wait_reason("thief", "IdentityNotAllowed")
        assert "identities" in message and NAMESPACE in message
        operator.wait_sold("thief")
        assert (chain.uri_of(agent), chain.sent(operator.account.address)) == (self.OLD, before)

    def test_none_of_somebody_else(self, operator, chain):
        somebody = "0x" + "22" * 20
        chain.fund(somebody)
        agent = chain.register(somebody, self.OLD)
        self.give(operator, chain, agent)
        before = chain.sent(operator.account.address)
        operator.sell("stranger", agentId=str(agent))
        assert str(agent) in operator.wait_reason("stranger", "NotOwner")
        assert (chain.uri_of(agent), chain.sent(operator.account.address)) == (self.OLD, before)


@pytest.fixture
def documents_on_chain(operator):
    """The controller has to know too: it writes the documents."""
    operator.run(CHANGES, document="onchain")
    operator.restart_controller()
    yield
    operator.run(CHANGES)
    operator.restart_controller()


def test_a_document_on_chain_is_the_agents_uri(operator, chain, documents_on_chain):
    before = chain.sent(operator.account.address)
    uid = operator.sell("inline")
    wait_until(lambda: operator.agents(uid), 30, "it is registered")
    agent, = operator.agents(uid)
    # By its address it is found again, whatever happens next.
    assert agent.uri.endswith(f"/{uid}.json")
    wait_until(lambda: chain.uri_of(agent.id).startswith("data:"), 30, "the document is there")
    operator.wait_phase("inline")
    document = document_at(operator, chain.uri_of(agent.id))
    assert (document["name"], document["active"], entries(document)) == ("inline", True, [entry(agent.id)])
    # The same one is behind the address, once the controller has read of the agent.
    wait_until(lambda: document_at(operator, agent.uri) == document, 10, "both documents are the same")
    assert chain.sent(operator.account.address) == before + 2
    operator.remove("inline")
    assert document_at(operator, chain.uri_of(agent.id))["active"] is False


class TestNothingIsOnChain:
    """Where nothing can be registered by the operator's word it says why, and the offer is sold all the same."""

    def said(self, operator, name, reason):
        operator.wait_sold(name)
        message = operator.wait_reason(name, reason)
        assert operator.status(name)["phase"] == "OffChainOnly"
        operator.stack.wait_condition(name, "Registered", namespace=NAMESPACE)
        return message

    def test_for_want_of_a_key(self, operator):
        operator.run(account=False)
        operator.sell("keyless")
        assert "key" in self.said(operator, "keyless", "NoKey")
        # The operator thinks better of it.
        operator.run()
        operator.wait_phase("keyless")

    def test_for_want_of_a_node(self, operator):
        operator.run(rpcURLs=None)
        operator.sell("nodeless")
        assert "rpcURL" in self.said(operator, "nodeless", "NoNode")

    def test_on_a_chain_that_the_operator_has_no_node_of(self, operator):
        operator.sell("abroad", chain="polygon")
        assert "polygon" in self.said(operator, "abroad", "NoNode")


class TestTrafficNeverWaits:
    """What is wrong with chain, account or registry is said, with what to do, and mends by itself. The offer is sold."""

    def said(self, operator, name, *reasons):
        operator.wait_sold(name)
        message = operator.wait_reason(name, *reasons)
        assert operator.stack.conditions(name, NAMESPACE)["Registered"][0] in ("False", "Unknown")
        assert operator.is_sold(name)
        return message

    def test_a_dead_node(self, operator, chain):
        operator.run(urls=[f"http://127.0.0.1:{PORT + 9}"])
        operator.sell("cut-off")
        self.said(operator, "cut-off", "NodeUnreachable")
        assert f"{PORT + 9}" not in json.dumps(operator.request("cut-off"))

    def test_an_empty_account(self, operator, chain):
        poor = operator.new_account(wei=10**12)
        operator.run(account=poor)
        uid = operator.sell("broke")
        message = self.said(operator, "broke", "LowBalance")
        assert poor.address in message.lower()
        wait_until(lambda: [each for each in operator.events("broke") if each[1] == "Warning"], 5, "an Event tells of it")
        chain.fund(poor.address, MUCH)
        # Otherwise it is looked at again in a minute.
        operator.kill()
        operator.start()
        operator.wait_phase("broke")
        assert len(operator.agents(uid, poor)) == 1
        operator.remove("broke")

    def test_a_key_that_cannot_be_opened(self, operator, chain):
        account = operator.new_account()
        Path(account.password_file).write_text("hunter2-wrong\n")
        operator.run(account=account)
        operator.sell("locked")
        message = self.said(operator, "locked", "NoKey")
        assert "--key-file" in message and account.key_file in message
        assert "hunter2" not in json.dumps(operator.request("locked"))
        assert "hunter2" not in operator.stack.cluster.processes["registrar"].log()

    def test_a_chain_without_a_registry(self, operator, chain):
        elsewhere = "0x" + "77" * 20
        operator.run(registry=elsewhere)
        operator.restart_controller()
        before = chain.sent(operator.account.address)
        operator.sell("lost-way")
        message = self.said(operator, "lost-way", "NoRegistry")
        assert elsewhere[2:8] in message.lower()
        assert chain.sent(operator.account.address) == before
        operator.remove("lost-way")
        operator.run(CHANGES)
        operator.restart_controller()

    def test_fees_above_the_operators_limit(self, operator, chain):
        operator.run(maxFeePerGas="0.000001")
        operator.sell("thrifty")
        self.said(operator, "thrifty", "FeesTooHigh")

    def test_another_registry_than_the_operators(self, operator, chain):
        """Who may write requests does not choose the contract that is called."""
        operator.run(account=False)
        operator.sell("forged")
        operator.wait_reason("forged", "NoKey")
        with controller_down(operator):
            change = {"spec": {"registry": "0x" + "66" * 20}}
            operator.stack.cluster.patch("registrationrequest", "forged-registration", change, NAMESPACE)
            before = chain.sent(operator.account.address)
            operator.run(CHANGES)
            assert "66" * 20 in operator.wait_reason("forged", "RegistryNotAllowed").lower()
            assert chain.sent(operator.account.address) == before
        # It is put right.
        operator.wait_phase("forged")


@contextlib.contextmanager
def controller_down(operator):
    operator.stack.cluster.processes["controller"].kill()
    yield
    operator.restart_controller()


class TestLimits:
    def test_a_days_transactions_are_counted_for_each_namespace(self, operator, chain):
        # Nine tenths for registrations, of these a quarter for one namespace: two.
        account = operator.new_account()
        operator.run(account=account, dailyTransactions=9)
        for name in ("one", "two", "three"):
            operator.sell(name)
        wait_until(lambda: len(operator.agents(account=account)) == 2, 30, "two are registered")
        late, = wait_until(
            lambda: [name for name in ("one", "two", "three") if operator.registered(name)[1] == "LimitReached"],
            20,
            "the third waits",
        )
        message = operator.registered(late)[2]
        assert NAMESPACE in message and "dailyTransactions" in message
        operator.wait_sold(late)
        # A restart forgets nothing.
        operator.kill()
        operator.start()
        time.sleep(2)
        assert operator.registered(late)[1] == "LimitReached"
        assert chain.sent(account.address) == 2
        # With more to spend it goes on.
        operator.run(account=account)
        operator.wait_phase(late)
        operator.remove("one", "two", "three")

    def test_a_days_money(self, operator, chain):
        account = operator.new_account()
        operator.run(account=account, dailySpend="0.00001")
        operator.sell("stingy")
        message = operator.wait_reason("stingy", "LimitReached")
        assert "dailySpend" in message
        assert chain.sent(account.address) == 0
        operator.remove("stingy")


def grant_secret(operator, name):
    """As the chart does for an entry of `signers`: a right to exactly that Secret."""
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get"]}
    about = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": f"signer-{name}", "namespace": NAMESPACE}}
    subject = {"kind": "ServiceAccount", "name": "portitor-registrar", "namespace": "portitor"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": f"signer-{name}"}
    operator.stack.cluster.apply(
        [
            about | {"kind": "Role", "rules": [rule]},
            about | {"kind": "RoleBinding", "subjects": [subject], "roleRef": role},
        ]
    )


def put_secret(operator, name, account):
    data = {"keystore.json": account.keystore, "password": account.password}
    about = {"name": name, "namespace": NAMESPACE}
    operator.stack.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": data})


class TestOwnKeys:
    def test_an_offer_signs_with_its_own_key_where_the_operator_lets_it(self, operator, chain):
        account = operator.new_account()
        put_secret(operator, "own-key", account)
        grant_secret(operator, "own-key")
        operator.run(CHANGES, lists={"signers": [{"namespace": NAMESPACE, "secret": "own-key"}]})
        before = chain.sent(operator.account.address)
        uid = operator.sell("selfmade", privateKeySecret={"name": "own-key", "key": "keystore.json"})
        operator.wait_phase("selfmade")
        agent, = operator.agents(uid, account)
        assert chain.owner_of(agent.id) == account.address
        assert chain.sent(operator.account.address) == before
        everything = json.dumps(operator.request("selfmade")) + operator.stack.cluster.processes["registrar"].log()
        assert account.password not in everything
        assert json.loads(account.keystore)["crypto"]["ciphertext"] not in everything
        operator.remove("selfmade")
        assert document_at(operator, chain.uri_of(agent.id))["active"] is False

    def test_not_without_the_operators_word(self, operator, chain):
        account = operator.new_account()
        put_secret(operator, "unlisted-key", account)
        grant_secret(operator, "unlisted-key")
        operator.sell("willful", privateKeySecret={"name": "unlisted-key", "key": "keystore.json"})
        message = operator.wait_reason("willful", "KeyNotAllowed")
        assert "signers" in message
        operator.wait_sold("willful")
        assert chain.sent(account.address) == 0

    def test_a_wrong_password_is_said_without_it(self, operator, chain):
        account = operator.new_account()
        put_secret(operator, "odd-key", account._replace(password="hunter2-wrong"))
        grant_secret(operator, "odd-key")
        operator.run(CHANGES, lists={"signers": [{"namespace": NAMESPACE, "secret": "odd-key"}]})
        operator.sell("locked-out", privateKeySecret={"name": "odd-key", "key": "keystore.json"})
        operator.wait_sold("locked-out")
        wait_until(lambda: "odd-key" in operator.registered("locked-out")[2], 30, "it says which Secret")
        said = json.dumps(operator.request("locked-out")) + operator.stack.cluster.processes["registrar"].log()
        assert "hunter2" not in said
        assert operator.is_sold("locked-out")
        # It is put right; otherwise it is read again in half a minute.
        put_secret(operator, "odd-key", account)
        operator.kill()
        operator.start()
        operator.wait_phase("locked-out")
        operator.remove("locked-out")


@pytest.fixture
def remote_signer(operator, tmp_path):
    """Flags for a signer that has the key of a new account, which is the second value."""
    key = "0x" + secrets.token_hex(32)
    account = make_account(operator.stack.scripts, tmp_path, key)
    operator.chain.fund(account.address, MUCH)
    token = tmp_path / "token"
    token.write_text("a-token-for-the-signer\n")
    script = Path(x402.__file__).with_name("signer.mjs")
    command = ["node", script, "--port", str(SIGNER_PORT), "--key", key, "--token", token.read_text().strip()]
    process = operator.stack.cluster.popen(command, "signer", env={"PORTITOR_NPM_DIR": operator.stack.scripts.npm_dir})
    url = f"http://127.0.0.1:{SIGNER_PORT}"
    operator.stack.scripts.call("get.mjs", "--url", f"{url}/stats", "--wait", "30")
    yield [f"--signer-url={url}", f"--signer-address={account.address}", f"--signer-token-file={token}"], account
    process.stop()


@pytest.mark.parametrize("api", ["transaction", "web3signer"])
def test_a_remote_signer_has_the_key(operator, chain, remote_signer, api):
    flags, account = remote_signer
    operator.run(CHANGES, f"--signer-api={api}", *flags, account=False)
    uid = operator.sell(f"by-{api}")
    operator.wait_phase(f"by-{api}")
    agent, = operator.agents(uid, account)
    assert chain.owner_of(agent.id) == account.address
    operator.remove(f"by-{api}")
    assert document_at(operator, chain.uri_of(agent.id))["active"] is False


class TestJobs:
    """A registrar that ends when its work is done."""

    @pytest.fixture
    def no_deployment(self, operator):
        assert operator.stack.cluster.processes["registrar"].stop(timeout=40) == 0
        yield
        if not operator.stack.cluster.processes["registrar"].running:
            operator.start()

    def test_one_request_is_brought_to_its_end(self, operator, chain, no_deployment):
        wanted, other = operator.sell("wanted"), operator.sell("not-wanted")
        for name in ("wanted", "not-wanted"):
            operator.wait_sold(name)
            wait_until(lambda: operator.request(name), 10, "it is requested")
        code, log = operator.job(f"--request={NAMESPACE}/wanted-registration")
        assert code == 0, log
        assert operator.wait_phase("wanted")["agentId"] == str(operator.agents(wanted)[0].id)
        assert operator.agents(other) == []
        # Once more there is nothing to do.
        before = chain.sent(operator.account.address)
        assert operator.job(f"--request={NAMESPACE}/wanted-registration")[0] == 0
        assert chain.sent(operator.account.address) == before

    def test_all_open_ones(self, operator, chain, no_deployment):
        uids = {name: operator.sell(name) for name in ("batch-1", "batch-2", "batch-3")}
        for name in uids:
            wait_until(lambda: operator.request(name), 10, "it is requested")
        code, log = operator.job("--until-done")
        assert code == 0, log
        for name, uid in uids.items():
            assert operator.wait_phase(name, timeout=1)["agentId"] == str(operator.agents(uid)[0].id)

    def test_one_that_ends_badly_is_told_by_the_exit_code(self, operator, chain, no_deployment):
        operator.sell("greedy", agentId="0")
        wait_until(lambda: operator.request("greedy"), 10, "it is requested")
        code, log = operator.job(f"--request={NAMESPACE}/greedy-registration")
        assert code == 1 and "IdentityNotAllowed" in log
        code, log = operator.job(f"--request={NAMESPACE}/nobody")
        assert code == 1 and f"{NAMESPACE}/nobody" in log

    def test_one_that_cannot_be_on_chain_has_ended_well(self, operator, no_deployment):
        operator.sell("chainless", chain="polygon")
        wait_until(lambda: operator.request("chainless"), 10, "it is requested")
        assert operator.job(f"--request={NAMESPACE}/chainless-registration")[0] == 0
        assert operator.wait_phase("chainless", "OffChainOnly", timeout=1)

    def test_beside_the_deployment_it_waits_its_turn(self, operator, chain):
        """Both take the same Lease, so they never share a nonce."""
        before = chain.sent(operator.account.address)
        uid = operator.sell("contended")
        wait_until(lambda: operator.request("contended"), 10, "it is requested")
        code, log = operator.job(f"--request={NAMESPACE}/contended-registration")
        assert code == 0, log
        assert len(operator.agents(uid)) == 1
        assert chain.sent(operator.account.address) == before + 1


def metrics(operator):
    """What is told of the account and of the process, by name; sums where there are several series."""
    found = {}
    for line in operator.stack.health("registrar", "/metrics").body.decode().splitlines():
        series, _, value = line.rpartition(" ")
        name = series.partition("{")[0]
        is_of_another = "account=" in series and operator.account.address not in series.lower()
        if name.startswith("portitor_registrar_") and not is_of_another:
            found[name] = found.get(name, 0) + float(value)
    return found


def test_the_account_is_measured(operator, chain):
    operator.run(CHANGES, "--low-balance=0.002")
    operator.sell("measured")
    operator.wait_phase("measured")

    def measured():
        found = metrics(operator)
        return found if found.get("portitor_registrar_transactions_today") else None

    found = wait_until(measured, 20, "the account is measured", interval=0.2)
    assert found["portitor_registrar_leads"] == 1
    assert found["portitor_registrar_transactions_total"] == 1
    assert 0 < found["portitor_registrar_spent_today_gwei"] < 10**7
    balance = chain.balance(operator.account.address) / GWEI
    assert abs(found["portitor_registrar_balance_gwei"] - balance) < ETHER / GWEI / 100
    assert found["portitor_registrar_transitions_total"] >= 1
    assert found["portitor_registrar_requests"] >= 1


def test_a_process_that_has_held_a_key_leaves_no_core_dump(operator, chain):
    operator.sell("secretive")
    operator.wait_phase("secretive")
    limits = Path(f"/proc/{operator.stack.cluster.processes['registrar'].pid}/limits").read_text()
    # One byte: neither a file nor a program that collects dumps gets any (core(5)).
    assert re.search(r"^Max core file size +1 +1 ", limits, re.M)
