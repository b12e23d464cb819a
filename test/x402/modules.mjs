// Lets the scripts beside this file import npm packages by their plain names although the packages are
// installed outside the checkout, in $PORTITOR_NPM_DIR/node_modules. Node's own resolver does the work, as if
// the import stood in a file of that folder, so export maps and conditions apply unchanged.
//
// Import this file first, and load packages with a dynamic import(): a static import is resolved before any
// code has run.

import { isBuiltin, register } from "node:module";
import { pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";

const npmDir = process.env.PORTITOR_NPM_DIR;
const scripts = new URL(".", import.meta.url).href;

// Node loads this same file again in its hooks thread, where only `resolve` matters.
if (isMainThread) {
  if (!npmDir) {
    console.error("PORTITOR_NPM_DIR must name the folder in which test/tools/npm was installed");
    process.exit(2);
  }
  register(import.meta.url);
}

export function resolve(specifier, context, nextResolve) {
  const isPackage = /^[@a-z]/i.test(specifier) && !specifier.includes(":") && !isBuiltin(specifier);
  if (isPackage && context.parentURL?.startsWith(scripts)) {
    const parentURL = pathToFileURL(`${npmDir}/package.json`).href;
    return nextResolve(specifier, { ...context, parentURL });
  }
  return nextResolve(specifier, context);
}
