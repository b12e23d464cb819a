#include "catch.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/keccak.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace portitor;

// Hashes made by ethers 6.17.0 and viem 2.57.20.
TEST_CASE("keccak256 of texts", "[evm][keccak]")
{
    const std::pair<std::string, std::string> vectors[] = {
        {"", "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"abc", "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"The quick brown fox jumps over the lazy dog",
         "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"},
        {"Registered(uint256,string,address)",
         "0xca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a"},
        // around the block of 136 bytes
        {std::string(135, 'a'), "0x34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446"},
        {std::string(136, 'a'), "0xa6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"},
        {std::string(137, 'a'), "0xd869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39"},
        {std::string(272, 'a'), "0xcf7fcd4f705ee749930d19ca84561a9bf62516bd90a471545fa2f49fdc7e63c8"},
    };
    for (const auto& [text, hash] : vectors)
    {
        INFO(text);
        CHECK(evm::to_hex(evm::keccak256(text)) == hash);
        CHECK(evm::to_hex(evm::keccak256(std::vector<std::uint8_t>(text.begin(), text.end()))) == hash);
    }
}

TEST_CASE("keccak256 of bytes", "[evm][keccak]")
{
    CHECK(
        evm::to_hex(evm::keccak256(evm::word{})) ==
        "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"
    );
    CHECK(
        evm::to_hex(evm::keccak256(evm::parse_hex("0xcc").value())) ==
        "0xeead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a"
    );
    CHECK(
        evm::to_hex(evm::keccak256(std::vector<std::uint8_t>(200, 0xff))) ==
        "0x3e04329b5f5c0f493dd965957722717ef46ed487733d5f9da932de72d9ac4a51"
    );
}
