#pragma once

#include "account.hpp"
#include "samples.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/signature.hpp>

namespace portitor::x402::samples {

/// The account of samples::payer.
inline const evm::account& payer_account()
{
    static const evm::account made("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
    return made;
}

/// Puts the signature into a sample that the payer would make for `wanted`; last, after all other changes.
inline void
sign(json::object& message, const payment_requirement& wanted, const evm::account& by = payer_account())
{
    const bool v1 = message.at("x402Version") == 1;
    const payment decoded = (v1 ? decode_v1(message) : decode_v2(message)).value();
    at(message, "payload/signature") = evm::to_hex(by.sign(signed_digest(decoded, wanted).value()));
}

}  // namespace portitor::x402::samples
