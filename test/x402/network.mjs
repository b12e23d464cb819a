// The one network and the one asset of the tests: Base Sepolia and its USDC.

export const NETWORK_V1 = "base-sepolia";
export const NETWORK_V2 = "eip155:84532";
export const USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
export const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";

/** What viem needs to know of the chain; its own list of all chains takes most of a second to import. */
export const CHAIN = {
  id: 84532,
  name: "Base Sepolia",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
};

/** The EIP-712 domain under which USDC authorizations are signed. */
export const USDC_DOMAIN = { name: "USDC", version: "2", chainId: CHAIN.id, verifyingContract: USDC };
