// Buys one HTTP answer with the unmodified x402-fetch 1.x client and tells what happened as one line of JSON, in the form
// of buyer-v2.mjs. Without --max the client's own limit of 0.10 USDC holds.
//
//   --url URL --key 0x… [--method M] [--header 'Name: value']… [--body TEXT] [--max N]

import "./modules.mjs";
import { buyAndReport, readOptions, recordingFetch } from "./buyer.mjs";
import { NETWORK_V1 } from "./network.mjs";

const { createSigner, wrapFetchWithPayment } = await import("x402-fetch");

async function jsonOrNull(response) {
  try {
    return await response.clone().json();
  } catch {
    return null;
  }
}

export async function run(args) {
  const options = readOptions(args);
  const record = await recordingFetch(jsonOrNull);
  const signer = await createSigner(NETWORK_V1, options.key);
  // A v1 payment names its offer by scheme and network only.
  const chosen = (payment) =>
    record.seen.paymentRequired.accepts.find(
      (offer) => offer.scheme === payment.scheme && offer.network === payment.network,
    );
  const buy = wrapFetchWithPayment(record.recorder, signer, options.max);
  return buyAndReport(options, buy, record, chosen);
}
