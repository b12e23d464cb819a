"""Real x402 and EVM parts for end-to-end tests: a local chain, a facilitator and both reference clients.

Nothing here runs a process by itself. Each part gets a `Scripts`, and that gets two callables, so that a test
may start everything inside a network namespace of its own:

    popen(cmd, name=..., env=..., **more)    starts a process; returns a subprocess.Popen or something like it; `more`
                                             is as Popen has it, in place of what a background process is given
    run(cmd, env=..., timeout=...)           runs one to its end; returns a CompletedProcess with its output as text

`LocalProcesses` has both for plain loopback. The npm packages of test/tools/npm must be installed in the
folder that PORTITOR_NPM_DIR names.
"""

import base64
import concurrent.futures
import json
import os
import pathlib
import socket
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent

NETWORK_V1 = "base-sepolia"
NETWORK_V2 = "eip155:84532"
USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"

# The accounts that every anvil starts with. Their keys are public, and worthless anywhere else.
FACILITATOR = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
FACILITATOR_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
BUYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BUYER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
# A second buyer, and one who owns no USDC.
BUYER2 = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
BUYER2_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
PAUPER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
PAUPER_KEY = "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
SELLER = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def encode_header(payment):
    return base64.b64encode(json.dumps(payment).encode()).decode()


def decode_header(header):
    return json.loads(base64.b64decode(header))


def requirements_v2(pay_to, amount, **changes):
    """One element of a v2 402's `accepts`, as a gate that settles before it answers offers it."""
    return {
        "scheme": "exact",
        "network": NETWORK_V2,
        "amount": str(amount),
        "asset": USDC,
        "payTo": pay_to,
        "maxTimeoutSeconds": 60,
        "extra": {"name": "USDC", "version": "2", "paymentFlow": "upfront"},
        **changes,
    }


def requirements_v1(pay_to, amount, resource, **changes):
    """The same offer in the form of a v1 402's body."""
    return {
        "scheme": "exact",
        "network": NETWORK_V1,
        "maxAmountRequired": str(amount),
        "resource": resource,
        "description": "",
        "mimeType": "",
        "payTo": pay_to,
        "maxTimeoutSeconds": 60,
        "asset": USDC,
        "extra": {"name": "USDC", "version": "2", "paymentFlow": "upfront"},
        **changes,
    }


class LocalProcesses:
    """Runs processes on plain loopback; the output of background ones goes to files in `log_dir`."""

    def __init__(self, log_dir):
        self.log_dir = pathlib.Path(log_dir)

    def popen(self, cmd, name, env=None, **more):
        with open(self.log_dir / f"{name}.log", "ab") as log:
            return subprocess.Popen(cmd, env=env, **{"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL} | more)

    def run(self, cmd, env=None, timeout=None):
        return subprocess.run(cmd, env=env, timeout=timeout, capture_output=True, text=True)


class Scripts:
    """The node scripts beside this file, started through the caller's `run` and `popen`; `with` ends what they need."""

    def __init__(self, run, popen, npm_dir=None):
        self._run = run
        self._popen = popen
        self.npm_dir = npm_dir or os.environ["PORTITOR_NPM_DIR"]
        self._env = {**os.environ, "PORTITOR_NPM_DIR": str(self.npm_dir)}
        self._console = Console(lambda **more: self.start("console.mjs", **more))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._console.close()

    @property
    def environment(self):
        """What a script needs that somebody else starts."""
        return {"PORTITOR_NPM_DIR": str(self.npm_dir), "PATH": self._env["PATH"]}

    def call(self, script, *args, timeout=120):
        """Runs one of the scripts for console.mjs and returns what it told; raises with its error if it fails."""
        return self._console.call(script, args, timeout)

    def run(self, script, *args, timeout=60):
        """Runs a script in a process of its own and returns what it printed; raises with its error output if it
        fails."""
        done = self._run(["node", str(HERE / script), *args], env=self._env, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{script} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def start(self, script, *args, **more):
        return self.start_program(["node", str(HERE / script), *args], pathlib.Path(script).stem, **more)

    def start_program(self, cmd, name, **more):
        return self._popen(cmd, name=name, env=self._env, **more)


class Console:
    """A process that runs scripts one after the other, or several at once for several threads; started when needed."""

    def __init__(self, start):
        self._start = start
        self._lock = threading.Lock()
        self._process = None
        self._waiting = {}
        self._calls = 0

    def call(self, script, args, timeout):
        answer = concurrent.futures.Future()
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._open()
            self._calls += 1
            self._waiting[self._calls] = answer
            asked = {"id": self._calls, "script": script, "args": args}
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        told = answer.result(timeout)
        if "error" in told:
            raise RuntimeError(f"{script}: {told['error']}")
        return told["output"]

    def close(self):
        if self._process:
            self._process.stdin.close()
            self._process.wait(timeout=10)

    def _open(self):
        self._process = self._start(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, answers):
        with answers:
            for line in answers:
                told = json.loads(line)
                self._waiting.pop(told["id"]).set_result(told)
        for each in list(self._waiting):
            self._waiting.pop(each).set_result({"error": "console.mjs has ended"})


class _Server:
    """A background process on a port of 127.0.0.1, or of another address. Usable in a `with`."""

    def __init__(self, scripts, port, host="127.0.0.1"):
        self._scripts = scripts
        self._process = None
        self.url = f"http://{host}:{port}"

    def _started(self, process, make_ready):
        self._process = process
        try:
            make_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Chain(_Server):
    """An anvil that stands in for Base Sepolia, with USDC at its usual address."""

    def __init__(self, scripts, port=8545):
        super().__init__(scripts, port)
        self._port = port

    def start(self, buyers=(BUYER, BUYER2), block_time=None):
        """Starts the chain, deploys, and gives each of `buyers` a million USDC. With a `block_time` nothing is mined
        between two blocks, as on a real chain."""
        anvil = f"{self._scripts.npm_dir}/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
        # A transaction is mined at once, and an idle chain still gets a block every 2 s as Base does. Without
        # that the time seen by simulated calls stands still, and after 10 minutes of it v1 payments, which
        # are valid from 10 minutes ago, count as not yet valid.
        mining = ["--block-time", str(block_time)] if block_time else ["--block-time", "2", "--mixed-mining"]
        # By default anvil writes the state of old blocks to the user's home and leaves it there. Without any old state
        # a call on "latest" fails (BlockOutOfRangeError) where a block is mined while it is being answered.
        quiet = ["--prune-history", "100", "--silent"]
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        process = self._scripts.start_program(
            [anvil, "--chain-id", "84532", *where, *mining, *quiet], f"anvil-{self._port}"
        )
        return self._started(process, lambda: self._chain("setup", *buyers))

    def _chain(self, *args):
        return self._scripts.call("chain.mjs", "--rpc", self.url, *args)

    def balance(self, address):
        return int(self._chain("balance", address))

    def mint(self, address, amount):
        self._chain("mint", address, str(amount))

    def cancel(self, key, nonce):
        """Cancels an authorization before it is settled, as its payer may at any time."""
        self._chain("cancel", key, nonce)

    def settlements(self, **wanted):
        """Every authorization executed so far, oldest first, e.g. settlements(to=SELLER, nonce="0x…")."""
        every = json.loads(self._chain("settlements"))
        return [one for one in every if all(one[key] == value for key, value in wanted.items())]


class Facilitator(_Server):
    """The reference facilitator for v1 and v2 on a `Chain`."""

    def __init__(self, scripts, chain, port=8546, key=FACILITATOR_KEY, host="127.0.0.1"):
        super().__init__(scripts, port, host)
        self._args = ["--port", str(port), "--host", host, "--rpc", chain.url, "--key", key]

    def start(self):
        process = self._scripts.start("facilitator.mjs", *self._args)
        return self._started(process, lambda: self._get("/supported", wait=90))

    def _get(self, path, wait=0):
        return json.loads(self._scripts.call("get.mjs", "--url", self.url + path, "--wait", str(wait)))

    def supported(self):
        return self._get("/supported")

    def stats(self):
        """{"verify": {"calls": n, "results": {"ok": n, "<reason>": n}}, "settle": {…}}"""
        return self._get("/stats")


def buy(scripts, version, url, key=BUYER_KEY, method="GET", headers=None, body=None, max_amount=None, any_asset=False):
    """Buys one answer with the real client of that x402 version; returns the report of buyer-v1/-v2.mjs."""
    args = ["--url", url, "--key", key, "--method", method]
    for name, value in (headers or {}).items():
        args += ["--header", f"{name}: {value}"]
    if body is not None:
        args += ["--body", body]
    if max_amount is not None:
        args += ["--max", str(max_amount)]
    if any_asset:
        args.append("--any-asset")
    return json.loads(scripts.call(f"buyer-v{version}.mjs", *args))


def sign(scripts, version, requirements, key=BUYER_KEY, **options):
    """A payment header for `requirements`; sign.mjs's options change what is signed: valid_before="-5"."""
    args = ["--version", str(version), "--requirements", json.dumps(requirements), "--key", key]
    for name, value in options.items():
        # One word, because a value may begin with a dash.
        args.append(f"--{name.replace('_', '-')}={value}")
    return scripts.call("sign.mjs", *args)


def pay_loop(scripts, url, rate, seconds, key=BUYER_KEY, concurrency=8):
    """Buys `rate` times a second for `seconds` and returns the summary; to act meanwhile, use a thread."""
    args = ["--url", url, "--key", key, "--rate", str(rate), "--seconds", str(seconds)]
    args += ["--concurrency", str(concurrency)]
    return json.loads(scripts.run("pay-loop.mjs", *args, timeout=seconds + 120))


class PayLoop:
    """`with PayLoop(scripts, url, rate) as loop:` buys until the block ends; `loop.summary` is pay-loop.mjs's then."""

    def __init__(self, scripts, url, rate, key=BUYER_KEY, concurrency=8):
        args = ["--url", url, "--key", key, "--rate", str(rate), "--concurrency", str(concurrency)]
        self._start = lambda: scripts.start("pay-loop.mjs", *args, stdout=subprocess.PIPE, text=True)
        self.summary = None

    def __enter__(self):
        self._process = self._start()
        return self

    def __exit__(self, failure, *_):
        self._process.terminate()
        told, _ = self._process.communicate(timeout=60)
        # Ended before it began to buy, it says nothing; why is the failure's to tell.
        if failure is None:
            self.summary = json.loads(told)
