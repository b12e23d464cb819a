// Prepares and inspects a local EVM chain (anvil) that stands in for Base Sepolia.
//
//   --rpc URL setup [ADDR…]      puts the contracts in place, gives each ADDR 1,000,000 USDC
//   --rpc URL balance ADDR       tells ADDR's balance in atomic units (6 decimals)
//   --rpc URL mint ADDR AMOUNT   creates AMOUNT atomic units for ADDR
//   --rpc URL cancel KEY NONCE   cancels an authorization, as its payer may at any time
//   --rpc URL put CONTRACT ADDR  puts the contract of CONTRACT.sol at ADDR
//   --rpc URL settlements        tells a JSON list of every authorization that was executed

import "./modules.mjs";
import { compile } from "./compile.mjs";
import { INITIAL_BALANCE, runCommand } from "./local-chain.mjs";
import { MULTICALL3, USDC, USDC_DOMAIN } from "./network.mjs";

const { parseAbi } = await import("viem");
const { privateKeyToAccount } = await import("viem/accounts");

const BLOCKS_AT_ONCE = 100n;

const abi = parseAbi([
  "function balanceOf(address) view returns (uint256)",
  "function mint(address to, uint256 value)",
  "function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
]);

async function untilAnswering(client) {
  for (const deadline = Date.now() + 20_000; ; ) {
    try {
      return await client.getChainId();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

async function setup(client, ...buyers) {
  const [usdc, multicall] = [await compile("TestUSDC"), await compile("TestMulticall3")];
  await untilAnswering(client);
  await client.setCode({ address: USDC, bytecode: usdc });
  await client.setCode({ address: MULTICALL3, bytecode: multicall });
  for (const buyer of buyers) await mint(client, buyer, INITIAL_BALANCE);
}

async function put(client, contract, address) {
  const bytecode = await compile(contract);
  await untilAnswering(client);
  await client.setCode({ address, bytecode });
}

async function balance(client, address) {
  const call = { address: USDC, abi, functionName: "balanceOf", args: [address] };
  const amount = await client.readContract(call);
  return amount.toString();
}

async function send(client, functionName, args) {
  // anvil signs for its own accounts; the last one is used so that the facilitator's nonces stay its own.
  const account = (await client.getAddresses()).at(-1);
  const hash = await client.writeContract({ account, address: USDC, abi, functionName, args });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${functionName} ${hash} was reverted`);
}

async function mint(client, address, amount) {
  await send(client, "mint", [address, BigInt(amount)]);
}

async function cancel(client, key, nonce) {
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
  await send(client, "cancelAuthorization", [payer.address, nonce, signature]);
}

// Transfer tells who paid whom, AuthorizationUsed which payment it was. Mints have no authorization, and the
// facilitator executes one authorization per transaction, so the two events of a transaction belong together.
// In steps: all at once may be more than an answer may hold.
async function allEvents(client) {
  const last = await client.getBlockNumber();
  const events = [];
  for (let first = 0n; first <= last; first += BLOCKS_AT_ONCE) {
    const toBlock = first + BLOCKS_AT_ONCE - 1n < last ? first + BLOCKS_AT_ONCE - 1n : last;
    events.push(...(await client.getContractEvents({ address: USDC, abi, fromBlock: first, toBlock })));
  }
  return events;
}

async function settlements(client) {
  const events = await allEvents(client);
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
  return JSON.stringify(list);
}

const commands = { setup, put, balance, mint, cancel, settlements };

export const run = (args) => runCommand("chain.mjs", commands, args);
