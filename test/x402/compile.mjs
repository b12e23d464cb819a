// Compiles one of the Solidity files beside this one.

import { readFileSync } from "node:fs";
import "./modules.mjs";

const { default: solc } = await import("solc");

/** Returns the runtime bytecode, as anvil_setCode takes it: without the part that runs the constructor. */
export function compile(contract) {
  const file = `${contract}.sol`;
  const input = {
    language: "Solidity",
    sources: { [file]: { content: readFileSync(new URL(file, import.meta.url), "utf8") } },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  if (output.errors?.length) {
    throw new Error(output.errors.map((e) => e.formattedMessage).join("\n"));
  }
  return `0x${output.contracts[file][contract].evm.deployedBytecode.object}`;
}
