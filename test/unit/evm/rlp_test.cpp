#include "evm_vectors.hpp"

using namespace portitor;
using evm::bytes;

namespace {

void append(bytes& to, const boost::json::value& what)
{
    if (what.is_string())
        return evm::append_rlp(to, bytes_of(what));
    bytes items;
    for (const auto& each : what.as_array())
        append(items, each);
    evm::append_rlp_list(to, items);
}

}  // namespace

TEST_CASE("RLP writes what others write", "[evm][rlp]")
{
    for (const auto& each : vectors().at("rlp").as_array())
    {
        bytes out;
        append(out, each.at("value"));
        CHECK(evm::to_hex(out) == text_of(each.at("encoded")));
    }
}

TEST_CASE("RLP writes numbers without leading zeros", "[evm][rlp]")
{
    bytes out;
    for (const u256& each : {u256(0), u256(1), u256(127), u256(128), u256(1024)})
        evm::append_rlp(out, each);
    CHECK(evm::to_hex(out) == "0x80017f8180820400");
    bytes largest;
    evm::append_rlp(largest, std::numeric_limits<u256>::max());
    CHECK(largest.size() == 33);
}

TEST_CASE("RLP gives back what was written, and no more than there is", "[evm][rlp]")
{
    for (const std::size_t size : {0, 1, 2, 55, 56, 255, 256, 70'000})
    {
        const bytes text(size, 0x81);
        bytes items;
        evm::append_rlp(items, text);
        evm::append_rlp(items, u256(5));
        bytes list;
        evm::append_rlp_list(list, items);
        for (std::size_t cut = 0; cut < list.size(); cut += 1 + list.size() / 50)
        {
            std::span<const std::uint8_t> rest = std::span(list).first(cut);
            CHECK_FALSE(evm::take_rlp_list(rest).has_value());
        }
        std::span<const std::uint8_t> rest(list);
        auto read = evm::take_rlp_list(rest).value();
        CHECK(rest.empty());
        const auto first = evm::take_rlp(read).value();
        CHECK(bytes(first.begin(), first.end()) == text);
        CHECK(evm::take_rlp(read).value().front() == 5);
        CHECK_FALSE(evm::take_rlp(read).has_value());
    }
    // A length that no memory holds.
    const bytes endless{0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    std::span<const std::uint8_t> rest(endless);
    CHECK_FALSE(evm::take_rlp(rest).has_value());
    std::span<const std::uint8_t> list;
    CHECK_FALSE(evm::take_rlp_list(list).has_value());
}
