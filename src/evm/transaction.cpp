#include <portitor/evm/secp256k1.hpp>
#include <portitor/evm/transaction.hpp>

#include <algorithm>

namespace portitor::evm {

namespace {

constexpr std::uint8_t envelope = 0x02;  // EIP-2718: the type comes first
constexpr std::size_t half = 32;         // of a signature: r, and s
constexpr std::uint8_t lowest_v = 27;

/// All fields before the signature.
bytes fields_of(const transaction& what)
{
    bytes out;
    append_rlp(out, u256(what.chain_id));
    append_rlp(out, u256(what.nonce));
    append_rlp(out, what.max_priority_fee);
    append_rlp(out, what.max_fee);
    append_rlp(out, u256(what.gas_limit));
    append_rlp(out, what.to.bytes());
    append_rlp(out, what.value);
    append_rlp(out, what.data);
    bytes entries;
    for (const auto& [contract, slots] : what.access_list)
    {
        bytes keys;
        for (const word& slot : slots)
            append_rlp(keys, slot);
        bytes entry;
        append_rlp(entry, contract.bytes());
        append_rlp_list(entry, keys);
        append_rlp_list(entries, entry);
    }
    append_rlp_list(out, entries);
    return out;
}

bytes enveloped(const bytes& fields)
{
    bytes out{envelope};
    append_rlp_list(out, fields);
    return out;
}

u256 number(std::span<const std::uint8_t> big_endian)
{
    u256 out;
    // Of nothing it makes a number without any limb, which nothing else is prepared for.
    if (!big_endian.empty())
        boost::multiprecision::import_bits(out, big_endian.begin(), big_endian.end());
    return out;
}

/// The three items at the end, behind the fields: yParity, r and s.
result<signature_bytes> read_signature(std::span<const std::uint8_t> items)
{
    signature_bytes out{};
    const auto parity = take_rlp(items);
    if (!parity || parity->size() > 1 || (parity->size() == 1 && parity->front() != 1))
        return fail(errc::protocol, "its yParity is neither 0 nor 1");
    out[2 * half] = static_cast<std::uint8_t>(lowest_v + parity->size());
    for (const std::size_t end : {half, 2 * half})
    {
        const auto part = take_rlp(items);
        if (!part || part->size() > half)
            return fail(errc::protocol, "it has no r and s of at most 32 bytes");
        std::copy(part->begin(), part->end(), out.begin() + static_cast<std::ptrdiff_t>(end - part->size()));
    }
    return out;
}

}  // namespace

bytes signing_payload(const transaction& what)
{
    return enveloped(fields_of(what));
}

word signing_hash(const transaction& what)
{
    return keccak256(signing_payload(what));
}

signed_transaction with_signature(const transaction& what, const signature_bytes& signature)
{
    bytes fields = fields_of(what);
    append_rlp(fields, u256(signature[2 * half] - lowest_v));
    append_rlp(fields, number(std::span(signature).first<half>()));
    append_rlp(fields, number(std::span(signature).subspan<half, half>()));
    signed_transaction out{enveloped(fields)};
    out.hash = keccak256(out.raw);
    return out;
}

result<signed_transaction>
check_signed(const transaction& what, std::span<const std::uint8_t> raw, const address& sender)
{
    if (raw.empty() || raw.front() != envelope)
        return fail(errc::protocol, "the signer's answer is no EIP-1559 transaction");
    auto rest = raw.subspan(1);
    const auto items = take_rlp_list(rest);
    const bytes fields = fields_of(what);
    if (!items || items->size() < fields.size() || !std::equal(fields.begin(), fields.end(), items->begin()))
        return fail(errc::protocol, "the signer signed another transaction than it was asked for");
    const auto signature = read_signature(items->subspan(fields.size()));
    if (!signature)
        return signature.error().within("the signer's answer");
    const auto who = recover(signing_hash(what), *signature);
    if (!who || *who != sender)
        return fail(
            errc::protocol,
            "the signer signed with another account's key than that of {}",
            sender.to_checksum()
        );
    signed_transaction out = with_signature(what, *signature);
    // Nothing behind it, and no second way to write it.
    if (!std::equal(raw.begin(), raw.end(), out.raw.begin(), out.raw.end()))
        return fail(errc::protocol, "the signer's answer is not in the one encoding of its transaction");
    return out;
}

result<transaction> read_signed(std::span<const std::uint8_t> raw)
{
    const error wrong(errc::protocol, "it is no signed EIP-1559 transaction without an access list");
    if (raw.empty() || raw.front() != envelope)
        return wrong;
    auto rest = raw.subspan(1);
    auto items = take_rlp_list(rest);
    if (!items || !rest.empty())
        return wrong;
    std::array<std::span<const std::uint8_t>, 8> fields;
    for (auto& each : fields)
    {
        const auto item = take_rlp(*items);
        if (!item)
            return wrong;
        each = *item;
    }
    const auto access_list = take_rlp_list(*items);
    constexpr std::size_t receiver = 5;
    constexpr std::size_t data = 7;
    evm::address::bytes_type to{};
    if (!access_list || !access_list->empty() || fields[receiver].size() != to.size())
        return wrong;
    for (std::size_t i = 0; i < data; ++i)
    {
        const bool is_small = i < 2 || i == 4;
        if (i != receiver && fields[i].size() > (is_small ? sizeof(std::uint64_t) : sizeof(word)))
            return wrong;
    }
    std::copy(fields[receiver].begin(), fields[receiver].end(), to.begin());
    transaction out;
    out.chain_id = static_cast<std::uint64_t>(number(fields[0]));
    out.nonce = static_cast<std::uint64_t>(number(fields[1]));
    out.max_priority_fee = number(fields[2]);
    out.max_fee = number(fields[3]);
    out.gas_limit = static_cast<std::uint64_t>(number(fields[4]));
    out.to = evm::address(to);
    out.value = number(fields[6]);
    out.data.assign(fields[data].begin(), fields[data].end());
    return out;
}

}  // namespace portitor::evm
