// Signs a transaction that moves nothing.
//
//   --key HEX --to ADDR --nonce N --tip WEI --cap WEI   tells the signed transaction

import { parseArgs } from "node:util";
import "./modules.mjs";
import { CHAIN } from "./network.mjs";

const { privateKeyToAccount } = await import("viem/accounts");

const options = Object.fromEntries(["key", "to", "nonce", "tip", "cap"].map((name) => [name, { type: "string" }]));

export async function run(args) {
  const { values } = parseArgs({ args, options });
  return privateKeyToAccount(values.key).signTransaction({
    type: "eip1559",
    chainId: CHAIN.id,
    to: values.to,
    nonce: Number(values.nonce),
    maxPriorityFeePerGas: BigInt(values.tip),
    maxFeePerGas: BigInt(values.cap),
    gas: 21000n,
  });
}
