#pragma once

#include <portitor/core/error.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::evm {

/// An account or a contract: 20 bytes. Default-constructed it is the zero address.
class address
{
public:
    using bytes_type = std::array<std::uint8_t, 20>;

    address() = default;
    explicit address(const bytes_type& bytes) : bytes_(bytes) {}

    /// Reads "0x" and 40 hexadecimal digits in any case. The checksum that EIP-55 hides in the case is not
    /// judged, because peers also send addresses in lower case. errc::invalid otherwise.
    static result<address> parse(std::string_view text);

    const bytes_type& bytes() const noexcept { return bytes_; }
    bool is_zero() const noexcept { return bytes_ == bytes_type{}; }

    /// Lower case, with "0x": one spelling per address, so it may serve in keys.
    std::string to_string() const;

    /// In the spelling that EIP-55 gives it, as wallets and explorers show it: upper case where the hash of
    /// the digits says so.
    std::string to_checksum() const;

    auto operator<=>(const address&) const = default;

private:
    bytes_type bytes_{};
};

}  // namespace portitor::evm
