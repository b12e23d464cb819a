// Signs an EIP-3009 payment that an honest client would not make, and tells it as a payment header.
//
//   --key 0x… --version 1|2 --requirements JSON [--to ADDR] [--value N] [--valid-after T] [--valid-before T]
//   [--nonce 0x…] [--from ADDR] [--resource URL]
//
// The requirements are one element of a 402's `accepts`. They fill in what the other options leave out, they
// give the token's signing domain, and a v2 payment carries them as `accepted`. The other options change only
// what is signed. Times are seconds since 1970; a leading + or - counts from now. --from names another payer
// than the key's owner.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import "./modules.mjs";
import { CHAIN } from "./network.mjs";

const { privateKeyToAccount } = await import("viem/accounts");

const text = { type: "string" };
const options = {
  key: text,
  version: text,
  requirements: text,
  to: text,
  value: text,
  "valid-after": { ...text, default: "0" },
  "valid-before": text,
  nonce: text,
  from: text,
  resource: text,
};

export async function run(args) {
  const { values } = parseArgs({ args, options });
  if (!values.key || !values.requirements || !["1", "2"].includes(values.version)) {
    throw new Error("usage: sign.mjs --key 0x… --version 1|2 --requirements JSON [options]");
  }

  const now = Math.floor(Date.now() / 1000);
  const seconds = (time) => (/^[+-]/.test(time) ? String(now + Number(time)) : time);

  const account = privateKeyToAccount(values.key);
  const requirements = JSON.parse(values.requirements);
  const authorization = {
    from: values.from ?? account.address,
    to: values.to ?? requirements.payTo,
    value: values.value ?? requirements.amount ?? requirements.maxAmountRequired,
    validAfter: seconds(values["valid-after"]),
    validBefore: seconds(values["valid-before"] ?? `+${requirements.maxTimeoutSeconds}`),
    nonce: values.nonce ?? `0x${randomBytes(32).toString("hex")}`,
  };
  const signature = await account.signTypedData({
    domain: {
      name: requirements.extra.name,
      version: requirements.extra.version,
      chainId: CHAIN.id,
      verifyingContract: requirements.asset,
    },
    types: {
      TransferWithAuthorization: [
        { name: "from", type: "address" },
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "validAfter", type: "uint256" },
        { name: "validBefore", type: "uint256" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "TransferWithAuthorization",
    message: authorization,
  });

  const payload = { signature, authorization };
  const payment =
    values.version === "2"
      ? {
          x402Version: 2,
          ...(values.resource && { resource: { url: values.resource } }),
          accepted: requirements,
          payload,
        }
      : { x402Version: 1, scheme: requirements.scheme, network: requirements.network, payload };
  return Buffer.from(JSON.stringify(payment)).toString("base64");
}
