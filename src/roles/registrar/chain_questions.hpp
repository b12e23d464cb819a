#pragma once

#include <portitor/evm/address.hpp>
#include <portitor/evm/block_times.hpp>
#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/node.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace portitor::registrar {

/// What is answered by now; or, of the block of this number.
inline const std::string latest = "latest";

/// The single questions of which a search consists. Copies share nothing but the node, which must outlive
/// them. One strand.
class chain_questions final : public evm::block_reader
{
public:
    template <typename T>
    using answer = boost::asio::awaitable<evm::rpc_result<T>>;

    chain_questions(evm::node& node, evm::address registry, std::chrono::milliseconds timeout)
        : node_(&node), registry_(registry), timeout_(timeout)
    {}

    /// The same, but after so many questions each one fails with errc::unavailable.
    chain_questions limited(std::size_t most) const;

    /// How many more may be asked.
    std::size_t left() const { return left_; }

    const evm::address& registry() const { return registry_; }

    answer<boost::json::value> ask(std::string method, boost::json::array params);

    /// What the registry answers to a call, as of a block.
    answer<evm::bytes> call(evm::bytes data, std::string block = latest);

    /// How many transactions of the account are in blocks, to this one.
    answer<std::uint64_t> nonces(evm::address account, std::string block);

    answer<std::optional<evm::block>> block_at(std::uint64_t number) override;

private:
    evm::node* node_;
    evm::address registry_;
    std::chrono::milliseconds timeout_;
    std::size_t left_ = std::numeric_limits<std::size_t>::max();
};

template <typename T>
evm::rpc_result<T> as_answer(result<T> read)
{
    return read ? evm::rpc_result<T>(std::move(*read)) : evm::rpc_result<T>(evm::rpc_error(read.error()));
}

}  // namespace portitor::registrar
