#include "fuzz.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = fuzz::text_of(data, size);
    fuzz::require(x402::decode_base64(x402::encode_base64(bytes)).value() == bytes);
    // What is accepted is what would have been written, but for the padding.
    if (const auto decoded = x402::decode_base64(bytes))
        fuzz::require(x402::encode_base64(*decoded).starts_with(bytes.substr(0, bytes.find('='))));
    return 0;
}
