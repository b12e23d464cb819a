#pragma once

#include <portitor/evm/signer.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace portitor::registrar {

using made_signer = result<std::unique_ptr<evm::signer>>;

/// Runs what blocks in a new thread, and goes on where it is called when that has ended; cancellation does
/// not shorten it.
boost::asio::awaitable<made_signer> in_own_thread(std::function<made_signer()> work);

/// Blocks, while another thread decrypts and for as long as decrypting takes itself. The memory that it takes
/// is the system's again when it returns. `where` begins the text of an error.
made_signer decrypt(std::string_view keystore, std::string_view password, std::string_view where);

}  // namespace portitor::registrar
