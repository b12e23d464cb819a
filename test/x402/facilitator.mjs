// A real x402 facilitator: the unmodified @x402/core and @x402/evm behind the standard HTTP interface.
//
//   node facilitator.mjs --port PORT --rpc URL --key 0x… [--host 127.0.0.1]
//
// POST /verify, POST /settle and GET /supported are the protocol's. GET /stats is for tests: the number of
// calls so far and how each one ended. Prints "ready" when listening; SIGTERM ends it.

import { parseArgs } from "node:util";
import "./modules.mjs";
import { CHAIN, NETWORK_V1, NETWORK_V2 } from "./network.mjs";

const { default: express } = await import("express");
const { createWalletClient, http, publicActions } = await import("viem");
const { nonceManager, privateKeyToAccount } = await import("viem/accounts");
const { x402Facilitator } = await import("@x402/core/facilitator");
const { toFacilitatorEvmSigner } = await import("@x402/evm");
const { ExactEvmScheme } = await import("@x402/evm/exact/facilitator");
const { ExactEvmSchemeV1 } = await import("@x402/evm/exact/v1/facilitator");

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    host: { type: "string", default: "127.0.0.1" },
    rpc: { type: "string" },
    key: { type: "string" },
  },
});
if (!values.port || !values.rpc || !values.key) {
  console.error("usage: facilitator.mjs --port PORT --rpc URL --key 0x… [--host ADDR]");
  process.exit(2);
}

const account = privateKeyToAccount(values.key, { nonceManager });
const client = createWalletClient({
  account,
  chain: CHAIN,
  transport: http(values.rpc),
  pollingInterval: 50,
}).extend(publicActions);

// One broadcast at a time. The nonce manager keeps parallel settlements apart while all of them succeed, but
// a transaction that is refused before it is sent leaves a hole below those that were numbered after it, and
// they would hang.
let lastBroadcast = Promise.resolve();
function inTurn(broadcast) {
  const result = lastBroadcast.then(broadcast);
  lastBroadcast = result.catch(() => {});
  return result;
}

const signer = toFacilitatorEvmSigner({
  address: account.address,
  getCode: (args) => client.getCode(args),
  readContract: (args) => client.readContract(args),
  verifyTypedData: (args) => client.verifyTypedData(args),
  writeContract: (args) => inTurn(() => client.writeContract(args)),
  sendTransaction: (args) => inTurn(() => client.sendTransaction(args)),
  waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
});
const facilitator = new x402Facilitator()
  .register(NETWORK_V2, new ExactEvmScheme(signer))
  .registerV1(NETWORK_V1, new ExactEvmSchemeV1(signer));

const stats = { verify: { calls: 0, results: {} }, settle: { calls: 0, results: {} } };

// The v1 library gives the whole text of a failed transaction as its reason; that is counted as "unnamed".
const nameOf = (reason) => (/^\w+$/.test(reason) ? reason : "unnamed");

// `outcome` names how a call ended: "ok" or the reason of a refusal. What is no answer counts as "error".
function endpoint(operation, outcome) {
  return async (request, response) => {
    const count = stats[operation];
    const finish = (status, body, result) => {
      count.results[result] = (count.results[result] ?? 0) + 1;
      response.status(status).json(body);
    };
    count.calls++;
    const { paymentPayload, paymentRequirements } = request.body ?? {};
    if (!paymentPayload || !paymentRequirements) {
      return finish(400, { error: "Missing paymentPayload or paymentRequirements" }, "error");
    }
    try {
      const answer = await facilitator[operation](paymentPayload, paymentRequirements);
      finish(200, answer, outcome(answer));
    } catch (error) {
      finish(500, { error: error instanceof Error ? error.message : String(error) }, "error");
    }
  };
}

const app = express();
app.use(express.json());
app.post("/verify", endpoint("verify", (answer) => (answer.isValid ? "ok" : nameOf(answer.invalidReason))));
app.post("/settle", endpoint("settle", (answer) => (answer.success ? "ok" : nameOf(answer.errorReason))));
app.get("/supported", (_request, response) => response.json(facilitator.getSupported()));
app.get("/stats", (_request, response) => response.json(stats));

app.listen(Number(values.port), values.host, (error) => {
  if (error) throw error;
  console.log("ready");
});
process.on("SIGTERM", () => process.exit(0));
