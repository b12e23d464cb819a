// Buys one HTTP answer with the unmodified @x402/fetch client and tells what happened as one line of JSON: status, body,
// headers and error of the final answer; statuses of all of them; the decoded 402 (paymentRequired); name and value of
// the payment header exactly as sent; the requirements that it answers; the time taken.
//
//   --url URL --key 0x… [--method M] [--header 'Name: value']… [--body TEXT] [--max N] [--any-asset]

import { buyAndReport, decodeHeader, readOptions, recordingFetch } from "./buyer.mjs";
import { payingFetch } from "./client-v2.mjs";

function decodedOrNull(response) {
  const header = response.headers.get("PAYMENT-REQUIRED");
  return header === null ? null : decodeHeader(header);
}

export async function run(args) {
  const options = readOptions(args);
  const record = await recordingFetch(decodedOrNull);
  const buy = payingFetch(record.recorder, options.key, options.max, options.anyAsset);
  return buyAndReport(options, buy, record, (payment) => payment.accepted);
}
