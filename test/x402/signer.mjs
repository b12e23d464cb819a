// A signer that keeps a key for others, behind two interfaces: the one with /api/v1/sign/ADDRESS/transaction, and the one of
// Web3Signer for Ethereum accounts (eth1).
//
//   node signer.mjs --port PORT --key 0x… [--token TEXT]
//
// It asks for that bearer token. GET /stats is for tests: how often it has signed. SIGTERM ends it.

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import "./modules.mjs";

const { keccak256 } = await import("viem");
const { privateKeyToAccount } = await import("viem/accounts");

const { values } = parseArgs({
  options: { port: { type: "string" }, key: { type: "string" }, token: { type: "string" } },
});
const account = privateKeyToAccount(values.key);
let signed = 0;

async function transaction(asked) {
  const raw = await account.signTransaction({
    type: "eip1559",
    chainId: Number(asked.chain_id),
    to: asked.to,
    nonce: Number(asked.nonce),
    gas: BigInt(asked.gas_limit),
    maxFeePerGas: BigInt(asked.max_fee_per_gas),
    maxPriorityFeePerGas: BigInt(asked.max_priority_fee_per_gas),
    value: BigInt(asked.value),
    data: asked.data,
  });
  return JSON.stringify({ signed_transaction: raw });
}

async function answer(method, path, body) {
  if (path === "/stats") return JSON.stringify({ signed });
  if (method === "GET" && path === "/api/v1/eth1/publicKeys") return JSON.stringify([account.publicKey]);
  signed += 1;
  if (path.toLowerCase() === `/api/v1/sign/${account.address}/transaction`.toLowerCase()) return transaction(JSON.parse(body));
  if (path === `/api/v1/eth1/sign/${account.publicKey}`) return account.sign({ hash: keccak256(JSON.parse(body).data) });
  signed -= 1;
  return null;
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  if (values.token && request.url !== "/stats" && request.headers.authorization !== `Bearer ${values.token}`) {
    return response.writeHead(401).end();
  }
  const said = await answer(request.method, request.url, body);
  response.writeHead(said === null ? 404 : 200).end(said ?? "");
});
server.listen(Number(values.port), "127.0.0.1");
