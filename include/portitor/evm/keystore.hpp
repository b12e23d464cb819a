#pragma once

#include <portitor/evm/private_key.hpp>

#include <string_view>

namespace portitor::evm {

/// Decrypts a key file as geth, cast and ethers write it (Web3 Secret Storage, version 3): AES-128-CTR with a
/// key from scrypt or PBKDF2. What deriving costs is bounded before anything is allocated: scrypt by 256 MiB
/// (n * r of 262144 * 8), which is also what geth's ordinary file takes, and PBKDF2 by ten million rounds.
/// errc::invalid says what of the file is not as it should be, or that the password does not fit; it quotes
/// nothing. Takes up to some seconds, in which the thread does nothing else.
result<private_key> open_keystore(std::string_view json_text, std::string_view password);

}  // namespace portitor::evm
