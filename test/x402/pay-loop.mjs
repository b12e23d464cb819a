// Buys the same URL again and again with the v2 client and prints a JSON summary:
// {startedAt, sent, ok, failures: [{at, status, body}], latencyMs: {p50, p99, max}}. startedAt and at are in
// seconds since 1970.
//
//   node pay-loop.mjs --url URL --key 0x… --rate N [--seconds S] [--concurrency C]
//
// N is purchases per second. At most C run at once; one that is due while all are busy starts as soon as one
// of them ends, and none is left out. Without --seconds it goes on until SIGTERM, and ends those that it has begun.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { payingFetch } from "./client-v2.mjs";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    key: { type: "string" },
    rate: { type: "string" },
    seconds: { type: "string" },
    concurrency: { type: "string", default: "8" },
  },
});
let total = Math.round(Number(values.rate) * Number(values.seconds ?? Infinity));
if (!values.url || !values.key || !(total > 0)) {
  console.error("usage: pay-loop.mjs --url URL --key 0x… --rate N [--seconds S] [--concurrency C]");
  process.exit(2);
}

const buy = payingFetch(fetch, values.key);
const started = Date.now();
const failures = [];
const latencies = [];
let next = 0;
process.on("SIGTERM", () => (total = next));

async function buyOne() {
  const at = Date.now();
  const fail = (status, body) => failures.push({ at: at / 1000, status, body });
  try {
    const response = await buy(values.url);
    const body = await response.text();
    if (!response.ok) fail(response.status, body);
  } catch (error) {
    fail(null, error.cause ? `${error.message}: ${error.cause.message}` : error.message);
  }
  latencies.push(Date.now() - at);
}

async function worker() {
  while (next < total) {
    const due = started + (next++ * 1000) / Number(values.rate);
    await sleep(Math.max(0, due - Date.now()));
    await buyOne();
  }
}
await Promise.all(Array.from({ length: Number(values.concurrency) }, worker));

latencies.sort((a, b) => a - b);
const percentile = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
console.log(
  JSON.stringify({
    startedAt: started / 1000,
    sent: total,
    ok: total - failures.length,
    failures,
    latencyMs: { p50: percentile(0.5), p99: percentile(0.99), max: latencies.at(-1) },
  }),
);
