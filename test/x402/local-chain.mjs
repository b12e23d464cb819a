// What the scripts that work on a local chain (anvil) share.

import { parseArgs } from "node:util";
import "./modules.mjs";
import { CHAIN } from "./network.mjs";

const { createTestClient, http, publicActions, walletActions } = await import("viem");

// Of a token with six decimals: a million.
export const INITIAL_BALANCE = 1_000_000n * 10n ** 6n;

function connect(url) {
  return createTestClient({ mode: "anvil", chain: CHAIN, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);
}

// Runs `--rpc URL NAME [argument…]`: the command of that name, with a client of that node and the arguments.
export async function runCommand(script, commands, args) {
  const { values, positionals } = parseArgs({ args, options: { rpc: { type: "string" } }, allowPositionals: true });
  const [name, ...rest] = positionals;
  if (!values.rpc || !Object.hasOwn(commands, name ?? "")) {
    throw new Error(`usage: ${script} --rpc URL ${Object.keys(commands).join("|")} [argument…]`);
  }
  return commands[name](connect(values.rpc), ...rest);
}
