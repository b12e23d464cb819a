// The unmodified v2 client, @x402/fetch with the exact EVM scheme, set up for one wallet.

import "./modules.mjs";

const { wrapFetchWithPayment, x402Client } = await import("@x402/fetch");
const { ExactEvmScheme } = await import("@x402/evm/exact/client");
const { privateKeyToAccount } = await import("viem/accounts");

/**
 * Wraps the fetch `underlying` so that it pays with `key`, if `max` is given no more than that at a time. Its user allows
 * `anyAsset`, or only those that the client knows by itself.
 */
export function payingFetch(underlying, key, max, anyAsset) {
  const client = new x402Client().register("eip155:*", new ExactEvmScheme(privateKeyToAccount(key)));
  if (max !== undefined) {
    client.registerPolicy((_version, accepts) => accepts.filter((offer) => BigInt(offer.amount) <= max));
  }
  if (anyAsset) client.setSpendControls({ allowedAssets: true });
  return wrapFetchWithPayment(underlying, client);
}
