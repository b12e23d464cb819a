// Prepares and inspects a local EVM chain (anvil) that stands in for Base Sepolia.
//
//   node chain.mjs --rpc URL setup [ADDR…]      puts the contracts in place, gives each ADDR 1,000,000 USDC
//   node chain.mjs --rpc URL balance ADDR       prints ADDR's balance in atomic units (6 decimals)
//   node chain.mjs --rpc URL mint ADDR AMOUNT   creates AMOUNT atomic units for ADDR
//   node chain.mjs --rpc URL cancel KEY NONCE   cancels an authorization, as its payer may at any time
//   node chain.mjs --rpc URL settlements        prints a JSON list of every authorization that was executed

import { parseArgs } from "node:util";
import "./modules.mjs";
import { CHAIN, MULTICALL3, USDC, USDC_DOMAIN } from "./network.mjs";

const { createTestClient, http, parseAbi, publicActions, walletActions } = await import("viem");
const { privateKeyToAccount } = await import("viem/accounts");

const INITIAL_BALANCE = 1_000_000n * 10n ** 6n;

const abi = parseAbi([
  "function balanceOf(address) view returns (uint256)",
  "function mint(address to, uint256 value)",
  "function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
]);

const { values, positionals } = parseArgs({
  options: { rpc: { type: "string" } },
  allowPositionals: true,
});
const client = createTestClient({
  mode: "anvil",
  chain: CHAIN,
  transport: http(values.rpc),
  pollingInterval: 20,
})
  .extend(publicActions)
  .extend(walletActions);

async function untilAnswering() {
  for (const deadline = Date.now() + 20_000; ; ) {
    try {
      return await client.getChainId();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

async function setup(...buyers) {
  const { compile } = await import("./compile.mjs");
  const [usdc, multicall] = [compile("TestUSDC"), compile("TestMulticall3")];
  await untilAnswering();
  await client.setCode({ address: USDC, bytecode: usdc });
  await client.setCode({ address: MULTICALL3, bytecode: multicall });
  for (const buyer of buyers) await mint(buyer, INITIAL_BALANCE);
}

async function balance(address) {
  const call = { address: USDC, abi, functionName: "balanceOf", args: [address] };
  const amount = await client.readContract(call);
  console.log(amount.toString());
}

async function send(functionName, args) {
  // anvil signs for its own accounts; the last one is used so that the facilitator's nonces stay its own.
  const account = (await client.getAddresses()).at(-1);
  const hash = await client.writeContract({ account, address: USDC, abi, functionName, args });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${functionName} ${hash} was reverted`);
}

async function mint(address, amount) {
  await send("mint", [address, BigInt(amount)]);
}

async function cancel(key, nonce) {
  const payer = privateKeyToAccount(key);
  const signature = await payer.signTypedData({
    domain: USDC_DOMAIN,
    types: {
      CancelAuthorization: [
        { name: "authorizer", type: "address" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "CancelAuthorization",
    message: { authorizer: payer.address, nonce },
  });
  await send("cancelAuthorization", [payer.address, nonce, signature]);
}

// Transfer tells who paid whom, AuthorizationUsed which payment it was. Mints have no authorization, and the
// facilitator executes one authorization per transaction, so the two events of a transaction belong together.
async function settlements() {
  const events = await client.getContractEvents({ address: USDC, abi, fromBlock: 0n });
  const named = (name) => events.filter((event) => event.eventName === name);
  const nonces = new Map(
    named("AuthorizationUsed").map((event) => [event.transactionHash, event.args.nonce]),
  );
  const list = named("Transfer")
    .filter((event) => nonces.has(event.transactionHash))
    .map(({ transactionHash, blockNumber, args }) => ({
      transaction: transactionHash,
      block: Number(blockNumber),
      from: args.from,
      to: args.to,
      value: args.value.toString(),
      nonce: nonces.get(transactionHash),
    }));
  console.log(JSON.stringify(list));
}

const commands = { setup, balance, mint, cancel, settlements };
const [name, ...args] = positionals;
if (!values.rpc || !Object.hasOwn(commands, name ?? "")) {
  console.error(`usage: chain.mjs --rpc URL ${Object.keys(commands).join("|")} [argument…]`);
  process.exit(2);
}
await commands[name](...args);
