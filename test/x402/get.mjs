// Tells the body of an HTTP answer, waiting up to --wait seconds for a 200. It is how a test looks at a server that only
// processes of its own network namespace can reach.
//
//   --url URL [--wait SECONDS]

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

async function attempt(url) {
  const response = await fetch(url);
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  return body;
}

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: { url: { type: "string" }, wait: { type: "string", default: "0" } },
  });
  const deadline = Date.now() + Number(values.wait) * 1000;
  for (;;) {
    try {
      return await attempt(values.url);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
