// The unmodified v2 client, @x402/fetch with the exact EVM scheme, set up for one wallet.

import "./modules.mjs";

const { wrapFetchWithPayment, x402Client } = await import("@x402/fetch");
const { ExactEvmScheme } = await import("@x402/evm/exact/client");
const { privateKeyToAccount } = await import("viem/accounts");

/** Wraps `underlying` so that it pays with `key`, and never more than `max` atomic units at a time if given. */
export function payingFetch(underlying, key, max) {
  const client = new x402Client().register("eip155:*", new ExactEvmScheme(privateKeyToAccount(key)));
  if (max !== undefined) {
    client.registerPolicy((_version, accepts) => accepts.filter((offer) => BigInt(offer.amount) <= max));
  }
  return wrapFetchWithPayment(underlying, client);
}
