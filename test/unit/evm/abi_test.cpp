#include "evm_vectors.hpp"

#include <portitor/evm/abi.hpp>

using namespace portitor;
using evm::abi_values;
using evm::bytes;

namespace {

/// The arguments as their types say, of those that registries have.
abi_values arguments(std::string_view types, const boost::json::array& given)
{
    abi_values out;
    for (const auto& each : given)
    {
        std::string_view type = types.substr(0, types.find(','));
        if (types.starts_with("("))
            type = types;
        types.remove_prefix(std::min(types.size(), type.size() + 1));
        if (type == "uint256")
            out.add(parse_u256(text_of(each)).value());
        else if (type == "address")
            out.add(evm::address::parse(text_of(each)).value());
        else if (type == "string")
            out.add_string(text_of(each));
        else if (type == "bytes")
            out.add_bytes(bytes_of(each));
        else
        {
            REQUIRE(type == "(string,bytes)[]");
            abi_values entries;
            for (const auto& entry : each.as_array())
                entries.add_tuple(arguments("string,bytes", entry.as_array()));
            out.add_array(entries);
        }
    }
    return out;
}

}  // namespace

TEST_CASE("calls are written as others write them", "[evm][abi]")
{
    for (const auto& each : vectors().at("calldata").as_array())
    {
        const std::string signature = text_of(each.at("signature"));
        INFO(signature);
        std::string_view types(signature);
        types.remove_prefix(types.find('(') + 1);
        types.remove_suffix(1);
        const bytes data = evm::call_data(signature, arguments(types, each.at("args").as_array()));
        CHECK(evm::to_hex(data) == text_of(each.at("data")));
    }
}

TEST_CASE("events are read as they were written", "[evm][abi]")
{
    const auto& logs = vectors().at("sampleLogs").as_array();
    const bytes registered = bytes_of(logs.at(0).at("data"));
    CHECK(evm::abi_string(registered, 0).value() == text_of(logs.at(0).at("decoded").at("agentURI")));
    const bytes metadata = bytes_of(logs.at(1).at("data"));
    CHECK(evm::abi_string(metadata, 0).value() == "x402.supported");
    CHECK(evm::abi_string(metadata, 1).value() == std::string(1, '\0'));
    for (const auto& [signature, topic] : vectors().at("events").as_object())
        CHECK(evm::to_hex(evm::keccak256(signature)) == text_of(topic));
}

TEST_CASE("data that says of itself what cannot be is refused", "[evm][abi]")
{
    const bytes whole = abi_values().add_string("hello").encode();
    for (std::size_t size = 0; size < whole.size(); ++size)
    {
        // The padding is not looked at.
        const bool has_text = size >= 64 + 5;
        CHECK(evm::abi_string(std::span(whole).first(size), 0).has_value() == has_text);
    }
    for (const u256& each : {u256(33), u256(64), u256(~std::uint64_t(0)), std::numeric_limits<u256>::max()})
    {
        const bytes lying = abi_values().add(each).add(std::numeric_limits<u256>::max()).encode();
        CHECK(evm::abi_string(lying, 0).error().code() == errc::protocol);
        CHECK(evm::abi_string(lying, 1).error().code() == errc::protocol);
        CHECK(evm::abi_string(lying, 9).error().code() == errc::protocol);
    }
}

TEST_CASE("a word is an address only with twelve zeros before it", "[evm][abi]")
{
    const auto account = evm::address::parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266").value();
    bytes data = abi_values().add(account).encode();
    CHECK((evm::abi_address(data, 0).value() == account));
    CHECK_FALSE(evm::abi_address(data, 1).has_value());
    data[11] = 1;
    CHECK_FALSE(evm::abi_address(data, 0).has_value());
    CHECK(evm::abi_number(abi_values().add(u256(0)).encode(), 0).value() == 0);
}
