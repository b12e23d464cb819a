#pragma once

#include <portitor/core/error.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::evm {

/// r, s and v (27 or 28), with s <= n/2: as recover() takes it.
using signature_bytes = std::array<std::uint8_t, 65>;

/// The key of an ordinary account. There is one copy of its bytes, which is overwritten when it goes away; no
/// error quotes them. One thread at a time.
class private_key
{
public:
    /// Reads 64 hexadecimal digits, with or without "0x". errc::invalid for anything else, and for a number
    /// that is no key: zero, or not below the order of the curve. The text stays the caller's to wipe.
    static result<private_key> parse(std::string_view text);

    /// The same of the number itself, big-endian; the bytes stay the caller's to wipe.
    static result<private_key> from_bytes(const word& number);

    /// What is moved from is no key any more, and must not be used.
    private_key(private_key&& other) noexcept;
    private_key& operator=(private_key&& other) noexcept;
    private_key(const private_key&) = delete;
    private_key& operator=(const private_key&) = delete;
    ~private_key();

    /// The account's.
    const evm::address& address() const noexcept { return address_; }

    /// Deterministic (RFC 6979).
    signature_bytes sign(const word& digest) const;

private:
    private_key() = default;

    word bytes_{};
    evm::address address_;
};

/// Overwrites a text that held a secret, and empties it.
void wipe(std::string& secret) noexcept;

}  // namespace portitor::evm
