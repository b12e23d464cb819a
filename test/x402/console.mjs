// Runs the scripts beside this file in one process, as often as it is told to: to start Node and to load the packages
// takes a second of CPU each time.
//
//   node console.mjs
//
// Reads one {"id": …, "script": "sign.mjs", "args": […]} a line and answers each with one {"id": …, "output": TEXT} or
// {"id": …, "error": TEXT} a line, in the order in which they get ready. Ends with its input.

import { createInterface } from "node:readline";
import "./modules.mjs";

async function answer({ id, script, args }) {
  try {
    const { run } = await import(`./${script}`);
    return { id, output: (await run(args)) ?? "" };
  } catch (error) {
    return { id, error: error instanceof Error ? error.stack : String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  answer(JSON.parse(line)).then((told) => process.stdout.write(`${JSON.stringify(told)}\n`));
}
