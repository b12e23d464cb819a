#include <portitor/evm/eip712.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/x402/payment_key.hpp>

#include <fmt/format.h>

namespace portitor::x402 {

payment_key::payment_key(
    std::string_view network, std::string_view asset, std::string_view payer, std::string_view nonce
)
    : text_(fmt::format("{}|{}|{}|{}", network, asset, payer, nonce))
{}

payment_key payment_key::of_text(std::string text)
{
    payment_key out;
    out.text_ = std::move(text);
    return out;
}

std::string_view payment_key::network() const noexcept
{
    return std::string_view(text_).substr(0, text_.find('|'));
}

std::string_view payment_key::token() const noexcept
{
    const std::string_view text = text_;
    const std::size_t first = text.find('|') + 1;
    return text.substr(first, text.find('|', first) - first);
}

std::string_view payment_key::payer() const noexcept
{
    const std::string_view text = text_;
    const std::size_t first = text.find('|', text.find('|') + 1) + 1;
    return text.substr(first, text.find('|', first) - first);
}

std::string_view payment_key::nonce() const noexcept
{
    const std::string_view text = text_;
    return text.substr(text.rfind('|') + 1);
}

payment_key key_of(const payment& offered, const payment_requirement& wanted)
{
    const auto asset = evm::address::parse(wanted.asset);
    const std::string payer = offered.payer.to_string();
    if (offered.kind == payment_kind::permit2)
        return {wanted.network, permit2_contract, payer, offered.nonce};
    return {wanted.network, asset ? asset->to_string() : wanted.asset, payer, offered.nonce};
}

std::vector<payment_key> keys_of(const payment& offered, const network_table& networks)
{
    std::vector<payment_key> out;
    const std::string payer = offered.payer.to_string();
    if (offered.kind == payment_kind::permit2)
        out.emplace_back(offered.network, permit2_contract, payer, offered.nonce);
    const network* on = offered.kind == payment_kind::eip3009 ? networks.find(offered.network) : nullptr;
    if (on == nullptr)
        return out;
    for (const token& each : on->tokens)
    {
        const auto asset = evm::address::parse(each.address);
        if (asset && each.method == transfer_method::eip3009)
            out.emplace_back(on->caip2, asset->to_string(), payer, offered.nonce);
    }
    return out;
}

payment_digest digest_of(const payment_binding& binding, const payment& offered)
{
    std::string text;
    text.reserve(binding.offer_uid.size() + binding.method.size() + binding.uri.size() + 512);
    // What the payer signed has a fixed length, the others have theirs in front: no two read alike.
    const auto append = [&text](const auto& bytes) { text.append(bytes.begin(), bytes.end()); };
    append(offered.pay_to.bytes());
    append(evm::to_word(offered.value));
    append(offered.asset.value_or(evm::address()).bytes());
    append(offered.spender.bytes());
    append(evm::to_word(offered.valid_after));
    append(evm::to_word(offered.valid_before));
    const auto append_sized = [&](const auto& bytes) {
        append(fmt::format_int(bytes.size()).str());
        text += ':';
        append(bytes);
    };
    append_sized(binding.offer_uid);
    append_sized(binding.method);
    append_sized(binding.uri);
    append_sized(offered.signature);
    return evm::keccak256(text);
}

}  // namespace portitor::x402
