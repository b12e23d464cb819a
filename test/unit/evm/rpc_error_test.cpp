#include "evm_vectors.hpp"

#include <portitor/evm/rpc_error.hpp>

using namespace portitor;

TEST_CASE("what nodes were seen to answer is read as what it means", "[evm][rpc]")
{
    for (const auto& each : vectors().at("rpcErrors").as_array())
    {
        std::string expected = text_of(each.at("class"));
        if (expected == "unknown_check_by_hash")
            expected = "unknown";
        INFO(each.at("message"));
        CHECK(evm::to_string(evm::read_rpc_refusal(text_of(each.at("message")))) == expected);
    }
}

TEST_CASE("a phrase counts only as words of its own, in any case", "[evm][rpc]")
{
    using evm::rpc_refusal;
    CHECK(evm::read_rpc_refusal("ALREADY KNOWN") == rpc_refusal::already_known);
    CHECK(evm::read_rpc_refusal("AlreadyKnown") == rpc_refusal::already_known);
    CHECK(evm::read_rpc_refusal("err: nonce too low") == rpc_refusal::nonce_too_low);
    CHECK(evm::read_rpc_refusal("unknown transaction") == rpc_refusal::unknown);
    CHECK(evm::read_rpc_refusal("already knowns") == rpc_refusal::unknown);
    CHECK(evm::read_rpc_refusal("") == rpc_refusal::unknown);
    CHECK(evm::read_rpc_refusal(std::string(100'000, 'x') + " already known") == rpc_refusal::unknown);
}
