#include <portitor/evm/keccak.hpp>

#include <cryptopp/keccak.h>

namespace portitor::evm {

word keccak256(std::span<const std::uint8_t> bytes)
{
    word out{};
    CryptoPP::Keccak_256().CalculateDigest(out.data(), bytes.data(), bytes.size());
    return out;
}

word keccak256(std::string_view text)
{
    const auto bytes = std::as_bytes(std::span(text));
    return keccak256({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace portitor::evm
