#pragma once

#include "catch.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/rlp.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fstream>
#include <iterator>
#include <string>

/// What ethers and viem made of known inputs, and what nodes were seen to answer; all keys in it are public.
inline const boost::json::object& vectors()
{
    static const boost::json::value read = [] {
        std::ifstream file("test/unit/evm/vectors.json");
        return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    }();
    return read.as_object();
}

inline std::string text_of(const boost::json::value& value)
{
    return std::string(value.as_string());
}

inline portitor::evm::bytes bytes_of(const boost::json::value& hex)
{
    return portitor::evm::parse_hex(text_of(hex)).value();
}
