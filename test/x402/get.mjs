// Prints the body of an HTTP answer, waiting up to --wait seconds for a 200. It is how a test looks at a
// server that only processes of its own network namespace can reach.
//
//   node get.mjs --url URL [--wait SECONDS]

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { url: { type: "string" }, wait: { type: "string", default: "0" } },
});
const deadline = Date.now() + Number(values.wait) * 1000;

async function attempt() {
  const response = await fetch(values.url);
  const body = await response.text();
  if (!response.ok) throw new Error(`${values.url} answered ${response.status}: ${body}`);
  return body;
}

for (;;) {
  try {
    console.log(await attempt());
    break;
  } catch (error) {
    if (Date.now() > deadline) throw error;
    await sleep(50);
  }
}
