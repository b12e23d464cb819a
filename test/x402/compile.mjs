// Compiles the Solidity files beside this one, once: the outcome is kept beside the packages, for it takes seconds.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import "./modules.mjs";

const settings = {
  optimizer: { enabled: true },
  outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
};

/** Returns the runtime bytecode, as anvil_setCode takes it: without the part that runs the constructor. */
export async function compile(contract) {
  const file = `${contract}.sol`;
  const content = readFileSync(new URL(file, import.meta.url), "utf8");
  const input = JSON.stringify({ language: "Solidity", sources: { [file]: { content } }, settings });
  // The folder has one version of the compiler.
  const name = createHash("sha256").update(input).digest("hex").slice(0, 16);
  const kept = `${process.env.PORTITOR_NPM_DIR}/${contract}-${name}.bin`;
  if (!existsSync(kept)) {
    // Complete when it has its name: several may be at it.
    const draft = `${kept}.${process.pid}`;
    writeFileSync(draft, await compiled(input, file, contract));
    renameSync(draft, kept);
  }
  return readFileSync(kept, "utf8");
}

async function compiled(input, file, contract) {
  const { default: solc } = await import("solc");
  const output = JSON.parse(solc.compile(input));
  if (output.errors?.length) {
    throw new Error(output.errors.map((e) => e.formattedMessage).join("\n"));
  }
  return `0x${output.contracts[file][contract].evm.deployedBytecode.object}`;
}
