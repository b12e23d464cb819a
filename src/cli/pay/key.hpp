#pragma once

#include "cli/command.hpp"

#include <portitor/evm/private_key.hpp>

#include <string>

namespace portitor::cli::pay {

/// Reads a key from a file: 64 hexadecimal digits with or without "0x", white space around them. Refused
/// where its group or others may read it (errc::refused). No error quotes what is in it. Blocks.
result<evm::private_key> read_key_file(const std::string& path);

/// Reads a key from one line of a stream.
result<evm::private_key> read_key(std::istream& from);

/// Reads what --key-file says: a file, or a line of `in` where it is "-".
result<evm::private_key> read_key(const std::string& file, std::istream& in);

/// Whether prompt_for_key() can ask somebody.
bool can_prompt(const console& terminal);

/// Asks for a key on the terminal, without showing what is typed. errc::canceled: nothing was typed, or
/// Ctrl-C. Blocks. @pre can_prompt(terminal)
result<evm::private_key> prompt_for_key(const console& terminal);

}  // namespace portitor::cli::pay
