// Buys one HTTP answer with the unmodified x402-fetch 1.x client and prints what happened as one line of
// JSON, in the form of buyer-v2.mjs. Without --max the client's own limit of 0.10 USDC holds.
//
//   node buyer-v1.mjs --url URL --key 0x… [--method M] [--header 'Name: value']… [--body TEXT] [--max N]

import "./modules.mjs";
import { buyAndReport, readOptions, recordingFetch } from "./buyer.mjs";
import { NETWORK_V1 } from "./network.mjs";

const { createSigner, wrapFetchWithPayment } = await import("x402-fetch");

const options = readOptions();
const { recorder, seen } = recordingFetch(async (response) => {
  try {
    return await response.clone().json();
  } catch {
    return null;
  }
});
const signer = await createSigner(NETWORK_V1, options.key);

// A v1 payment names its offer by scheme and network only.
const chosen = (payment) =>
  seen.paymentRequired.accepts.find(
    (offer) => offer.scheme === payment.scheme && offer.network === payment.network,
  );
await buyAndReport(options, wrapFetchWithPayment(recorder, signer, options.max), seen, chosen);
