// Puts the contracts of Permit2 payments on a local chain (anvil), and does there and signs what payers do.
//
//   --rpc URL setup TOKEN [ADDR…]        the real Permit2, x402's proxy, and at TOKEN a token of which each ADDR has a million
//   --rpc URL approve TOKEN ADDR         ADDR, one of anvil's own, lets Permit2 have its tokens
//   --rpc URL balance TOKEN ADDR         tells ADDR's balance in atomic units
//   --rpc URL invalidate ADDR NONCE      ADDR gives up a nonce
//   --rpc URL spend KEY NONCE TOKEN TO AMOUNT
//       KEY's owner uses a nonce for a payment to TO, which is executed
//   --rpc URL sign KEY REQUIREMENTS [sponsored]
//       tells a payment header of the unmodified client for REQUIREMENTS, one element of a 402's `accepts`; sponsored,
//       it has a permit (EIP-2612) for Permit2 with it, as for a server that announces eip2612GasSponsoring

import { readFileSync } from "node:fs";
import "./modules.mjs";
import { compile } from "./compile.mjs";
import { INITIAL_BALANCE, runCommand } from "./local-chain.mjs";
import { CHAIN } from "./network.mjs";

const { concat, maxUint256, parseAbi, toHex } = await import("viem");
const { privateKeyToAccount } = await import("viem/accounts");
const { PERMIT2_ADDRESS, permit2WitnessTypes, x402ExactPermit2ProxyABI, x402ExactPermit2ProxyAddress } = await import(
  "@x402/evm"
);
const { ExactEvmScheme } = await import("@x402/evm/exact/client");

// Which address a contract gets there depends on its code: Permit2 is at its own only where every byte is the real one.
const DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
const PERMIT2_SALT = "0x0000000000000000000000000000000000000000d3af2663da51c10215000000";

const abi = parseAbi([
  "function balanceOf(address) view returns (uint256)",
  "function mint(address to, uint256 value)",
  "function approve(address spender, uint256 value) returns (bool)",
  "function invalidateUnorderedNonces(uint256 wordPos, uint256 mask)",
]);

async function done(client, hash) {
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${hash} was reverted`);
}

async function write(client, account, address, functionName, args) {
  await done(client, await client.writeContract({ account, address, abi, functionName, args }));
}

// The last of anvil's accounts, so that the facilitator's nonces stay its own.
const lastAccount = async (client) => (await client.getAddresses()).at(-1);

async function deployPermit2(client) {
  const modules = `${process.env.PORTITOR_NPM_DIR}/node_modules`;
  const code = toHex(readFileSync(`${modules}/hardhat-predeploy/bin/${PERMIT2_ADDRESS}.bytecode`));
  const account = await lastAccount(client);
  await done(client, await client.sendTransaction({ account, to: DEPLOYER, data: concat([PERMIT2_SALT, code]) }));
  if (!(await client.getCode({ address: PERMIT2_ADDRESS }))) throw new Error("this is not the code of Permit2");
}

async function setup(client, token, ...owners) {
  if (!(await client.getCode({ address: PERMIT2_ADDRESS }))) await deployPermit2(client);
  await client.setCode({ address: x402ExactPermit2ProxyAddress, bytecode: await compile("TestPermit2Proxy") });
  await client.setCode({ address: token, bytecode: await compile("TestUSDC") });
  for (const each of owners) await write(client, await lastAccount(client), token, "mint", [each, INITIAL_BALANCE]);
}

async function approve(client, token, owner) {
  await write(client, owner, token, "approve", [PERMIT2_ADDRESS, maxUint256]);
}

async function balance(client, token, owner) {
  const amount = await client.readContract({ address: token, abi, functionName: "balanceOf", args: [owner] });
  return amount.toString();
}

async function invalidate(client, owner, nonce) {
  const place = BigInt(nonce);
  await write(client, owner, PERMIT2_ADDRESS, "invalidateUnorderedNonces", [place >> 8n, 1n << (place & 255n)]);
}

async function spend(client, key, nonce, token, to, amount) {
  const payer = privateKeyToAccount(key);
  const permit = { permitted: { token, amount: BigInt(amount) }, nonce: BigInt(nonce), deadline: maxUint256 };
  const witness = { to, validAfter: 0n };
  const signature = await payer.signTypedData({
    domain: { name: "Permit2", chainId: CHAIN.id, verifyingContract: PERMIT2_ADDRESS },
    types: permit2WitnessTypes,
    primaryType: "PermitWitnessTransferFrom",
    message: { ...permit, spender: x402ExactPermit2ProxyAddress, witness },
  });
  const call = { address: x402ExactPermit2ProxyAddress, abi: x402ExactPermit2ProxyABI, functionName: "settle" };
  const args = [permit, payer.address, witness, signature];
  await done(client, await client.writeContract({ ...call, account: await lastAccount(client), args }));
}

async function sign(client, key, requirements, sponsored) {
  const account = privateKeyToAccount(key);
  const signer = Object.assign(account, { readContract: (args) => client.readContract(args) });
  const accepted = JSON.parse(requirements);
  const context = sponsored ? { extensions: { eip2612GasSponsoring: {} } } : undefined;
  const made = await new ExactEvmScheme(signer).createPaymentPayload(2, accepted, context);
  return Buffer.from(JSON.stringify({ ...made, accepted })).toString("base64");
}

const commands = { setup, approve, balance, invalidate, spend, sign };

export const run = (args) => runCommand("permit2.mjs", commands, args);
