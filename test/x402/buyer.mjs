// What the two buyers share: their options, a fetch that remembers what passed through it, and the report.
//
// Each purchase has connections of its own, as that of a client which has just been started.

import { parseArgs } from "node:util";

const options = {
  url: { type: "string" },
  key: { type: "string" },
  method: { type: "string", default: "GET" },
  header: { type: "string", multiple: true, default: [] },
  body: { type: "string" },
  max: { type: "string" },
  "any-asset": { type: "boolean" },
};

/** Reads --url URL --key 0x… [--method M] [--header 'Name: value']… [--body TEXT] [--max N] [--any-asset]. */
export function readOptions(args) {
  const { values } = parseArgs({ args, options });
  if (!values.url || !values.key) throw new Error("--url and --key are required");
  const split = (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];
  return {
    url: values.url,
    key: values.key,
    max: values.max === undefined ? undefined : BigInt(values.max),
    anyAsset: values["any-asset"],
    // A plain object, because x402-fetch spreads it and would lose the content of a Headers.
    init: { method: values.method, headers: Object.fromEntries(values.header.map(split)), body: values.body },
  };
}

export const decodeHeader = (value) => JSON.parse(Buffer.from(value, "base64").toString("utf8"));

/** A dispatcher like the one that fetch has by itself, which Node does not export. */
async function newDispatcher() {
  await fetch("data:,"); // Node makes it for the first request.
  const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];
  return new Agent();
}

/** A fetch to put under a payment client, and the record of what that client was offered and sent. */
export async function recordingFetch(readPaymentRequired) {
  const dispatcher = await newDispatcher();
  const seen = { statuses: [], paymentRequired: null, paymentHeaderName: null, paymentHeader: null };
  const recorder = async (input, init) => {
    const request = new Request(input, init);
    for (const name of ["PAYMENT-SIGNATURE", "X-PAYMENT"]) {
      if (!request.headers.has(name)) continue;
      seen.paymentHeaderName = name;
      seen.paymentHeader = request.headers.get(name);
    }
    const response = await fetch(request, { dispatcher });
    seen.statuses.push(response.status);
    if (response.status === 402 && seen.paymentRequired === null) {
      seen.paymentRequired = await readPaymentRequired(response);
    }
    return response;
  };
  return { recorder, seen, dispatcher };
}

/** Makes the purchase and tells of it as JSON; a client that refuses to pay is reported as well. */
export async function buyAndReport({ url, init }, payingFetch, { seen, dispatcher }, chosenRequirements) {
  const started = performance.now();
  const report = { status: null, body: null, headers: {}, error: null };
  try {
    const response = await payingFetch(url, init);
    report.status = response.status;
    report.body = await response.text();
    report.headers = Object.fromEntries(response.headers);
  } catch (error) {
    report.error = error.cause ? `${error.message}: ${error.cause.message}` : error.message;
  } finally {
    await dispatcher.destroy();
  }
  const requirements = seen.paymentHeader ? chosenRequirements(decodeHeader(seen.paymentHeader)) : null;
  const ms = Math.round(performance.now() - started);
  return JSON.stringify({ ...report, ...seen, requirements, ms });
}
