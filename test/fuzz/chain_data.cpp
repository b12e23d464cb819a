// What nodes and remote signers answer, down to what contracts' events hold.

#include <portitor/evm/abi.hpp>
#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/rpc_error.hpp>
#include <portitor/evm/transaction.hpp>

#include <boost/json/parse.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace portitor::evm;
    const std::span<const std::uint8_t> bytes(data, size);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_rpc_refusal(text);
    for (const std::size_t slot : {std::size_t(0), std::size_t(1), size})
    {
        const auto read = abi_string(bytes, slot);
        if (read && read->size() > size)
            std::abort();
    }
    // Nobody signed it.
    if (check_signed({}, bytes, address({1})))
        std::abort();
    boost::system::error_code failed;
    const boost::json::value answer = boost::json::parse(text, failed);
    if (!failed)
    {
        read_block(answer);
        read_receipt(answer, {});
        read_bytes(answer);
    }
    return 0;
}
