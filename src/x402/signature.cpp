#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>
#include <portitor/x402/signature.hpp>

#include <span>
#include <string_view>

namespace portitor::x402 {

namespace {

constexpr std::size_t signature_size = 65;

std::optional<u256> chain_id(std::string_view caip2)
{
    constexpr std::string_view prefix = "eip155:";
    if (!caip2.starts_with(prefix))
        return std::nullopt;
    const auto id = parse_u256(caip2.substr(prefix.size()));
    return id ? std::optional(*id) : std::nullopt;
}

// Hashing the domain is half of the work, and most payments in a row are in the same token.
const evm::word& token_domain(const payment_requirement& wanted, const u256& chain, const evm::address& asset)
{
    struct known_domain
    {
        std::string name;
        std::string version;
        u256 chain;
        evm::address asset;
        evm::word separator;
    };
    thread_local std::optional<known_domain> last;
    if (!last || last->asset != asset || last->chain != chain || last->name != wanted.asset_name ||
        last->version != wanted.asset_version)
    {
        const evm::word made = evm::domain_separator({wanted.asset_name, wanted.asset_version, chain, asset});
        last = known_domain{wanted.asset_name, wanted.asset_version, chain, asset, made};
    }
    return last->separator;
}

std::optional<evm::word>
eip3009_digest(const payment& offered, const payment_requirement& wanted, const u256& chain)
{
    static const evm::word type =
        evm::keccak256("TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
                       "uint256 validBefore,bytes32 nonce)");
    const auto asset = evm::address::parse(wanted.asset);
    evm::word nonce{};
    if (!asset || !evm::parse_hex(offered.nonce, nonce))
        return std::nullopt;
    return evm::typed_data_digest(
        token_domain(wanted, chain, *asset),
        evm::hash_struct(
            type,
            {evm::to_word(offered.payer),
             evm::to_word(offered.pay_to),
             evm::to_word(offered.value),
             evm::to_word(offered.valid_after),
             evm::to_word(offered.valid_before),
             nonce}
        )
    );
}

std::optional<evm::word> permit2_digest(const payment& offered, const u256& chain)
{
    static const evm::word permissions_type =
        evm::keccak256("TokenPermissions(address token,uint256 amount)");
    static const evm::word witness_type = evm::keccak256("Witness(address to,uint256 validAfter)");
    static const evm::word type = evm::keccak256(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)"
    );
    const auto nonce = parse_u256(offered.nonce);
    if (!offered.asset || !nonce)
        return std::nullopt;
    return evm::typed_data_digest(
        evm::domain_separator({"Permit2", std::nullopt, chain, permit2_address()}),
        evm::hash_struct(
            type,
            {evm::hash_struct(permissions_type, {evm::to_word(*offered.asset), evm::to_word(offered.value)}),
             evm::to_word(offered.spender),
             evm::to_word(*nonce),
             evm::to_word(offered.valid_before),
             evm::hash_struct(
                 witness_type, {evm::to_word(offered.pay_to), evm::to_word(offered.valid_after)}
             )}
        )
    );
}

bool is_payer(const payment& offered, const result<evm::address>& signer)
{
    return signer && *signer == offered.payer;
}

}  // namespace

const char* to_string(signature_verdict verdict) noexcept
{
    switch (verdict)
    {
    case signature_verdict::valid:
        return "valid";
    case signature_verdict::not_an_account:
        return "not_an_account";
    case signature_verdict::cannot_tell:
        return "cannot_tell";
    }
    return "?";
}

std::optional<evm::word> signed_digest(const payment& offered, const payment_requirement& wanted)
{
    const auto chain = chain_id(wanted.network);
    // Another scheme signs another struct: "upto" has one member more in its witness.
    if (!chain || offered.scheme != "exact")
        return std::nullopt;
    switch (offered.kind)
    {
    case payment_kind::eip3009:
        return eip3009_digest(offered, wanted, *chain);
    case payment_kind::permit2:
        return permit2_digest(offered, *chain);
    case payment_kind::other:
        break;
    }
    return std::nullopt;
}

signature_verdict check_signature(const payment& offered, const payment_requirement& wanted)
{
    const auto digest = signed_digest(offered, wanted);
    if (!digest)
        return signature_verdict::cannot_tell;
    const bool compact = offered.kind == payment_kind::permit2 && offered.signature.size() == 64;
    const auto signer =
        compact ? evm::recover_compact(*digest, offered.signature) : evm::recover(*digest, offered.signature);
    return is_payer(offered, signer) ? signature_verdict::valid : signature_verdict::not_an_account;
}

bool may_be_contract_signature(const payment& offered, const payment_requirement& wanted)
{
    if (offered.signature.size() <= signature_size)
        return false;
    const auto digest = signed_digest(offered, wanted);
    return !digest ||
           !is_payer(offered, evm::recover(*digest, std::span(offered.signature).first(signature_size)));
}

refusal signature_refusal(const payment& offered)
{
    if (offered.kind == payment_kind::permit2)
        return {
            "invalid_permit2_signature",
            "the signature is not the payer's for this permit, on this chain, with the witness of the scheme "
            "exact"};
    return {
        "invalid_exact_evm_payload_signature",
        "the signature is not the payer's for this authorization, on this chain, with the token's EIP-712 "
        "name "
        "and version as in extra"};
}

}  // namespace portitor::x402
