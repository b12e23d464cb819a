// Buys one HTTP answer with the unmodified @x402/fetch client and prints what happened as one line of JSON:
// status, body, headers and error of the final answer; statuses of all of them; the decoded 402
// (paymentRequired); name and value of the payment header exactly as sent; the requirements that it answers;
// the time taken.
//
//   node buyer-v2.mjs --url URL --key 0x… [--method M] [--header 'Name: value']… [--body TEXT] [--max N]

import { buyAndReport, decodeHeader, readOptions, recordingFetch } from "./buyer.mjs";
import { payingFetch } from "./client-v2.mjs";

const options = readOptions();
const { recorder, seen } = recordingFetch((response) => {
  const header = response.headers.get("PAYMENT-REQUIRED");
  return header === null ? null : decodeHeader(header);
});
const buy = payingFetch(recorder, options.key, options.max);
await buyAndReport(options, buy, seen, (payment) => payment.accepted);
