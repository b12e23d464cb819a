// Locks a private key up in a Web3 Secret Storage file, version 3, as wallets write it.
//
//   --key HEX --password TEXT   tells {"address": …, "keystore": …}

import { createCipheriv, randomBytes, randomUUID, scryptSync } from "node:crypto";
import { parseArgs } from "node:util";
import "./modules.mjs";

const { keccak256 } = await import("viem");
const { privateKeyToAccount } = await import("viem/accounts");

// Little work for the one who opens it, as is enough for a test's key.
const SCRYPT = { N: 1024, r: 8, p: 1 };

export async function run(args) {
  const { values } = parseArgs({ args, options: { key: { type: "string" }, password: { type: "string" } } });
  const { address } = privateKeyToAccount(values.key);
  const [salt, iv] = [randomBytes(32), randomBytes(16)];
  const derived = scryptSync(values.password, salt, 32, SCRYPT);
  const cipher = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(values.key.slice(2), "hex"), cipher.final()]);
  const keystore = {
    version: 3,
    id: randomUUID(),
    address: address.slice(2).toLowerCase(),
    crypto: {
      cipher: "aes-128-ctr",
      cipherparams: { iv: iv.toString("hex") },
      ciphertext: ciphertext.toString("hex"),
      kdf: "scrypt",
      kdfparams: { dklen: 32, n: SCRYPT.N, r: SCRYPT.r, p: SCRYPT.p, salt: salt.toString("hex") },
      mac: keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])).slice(2),
    },
  };
  return JSON.stringify({ address, keystore });
}
