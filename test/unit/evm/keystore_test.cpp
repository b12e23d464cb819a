#include "evm_vectors.hpp"

#include <portitor/evm/keystore.hpp>

#include <boost/json/serialize.hpp>

#include <chrono>

using namespace portitor;
namespace json = boost::json;

namespace {

const json::object& keystore(std::string_view name)
{
    for (const auto& each : vectors().at("keystores").as_array())
    {
        if (each.at("name").as_string() == name)
            return each.as_object();
    }
    throw std::runtime_error("no such vector");
}

json::value& at_path(json::value& in, std::string_view path)
{
    json::value* at = &in;
    while (!path.empty())
    {
        const std::string_view name = path.substr(0, path.find('.'));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        at = &at->as_object()[name];
    }
    return *at;
}

}  // namespace

TEST_CASE("key files of geth, cast and ethers open with their password", "[evm][keystore]")
{
    for (const auto& each : vectors().at("keystores").as_array())
    {
        INFO(each.at("name"));
        const auto key = evm::open_keystore(json::serialize(each.at("json")), text_of(each.at("password")));
        REQUIRE(key.has_value());
        CHECK(key->address().to_checksum() == text_of(each.at("address")));
    }
}

TEST_CASE("a key file that is not as it should be is refused with its reason", "[evm][keystore]")
{
    for (const auto& each : vectors().at("keystoresInvalid").as_array())
    {
        INFO(each.at("reason"));
        const json::object& good = keystore(text_of(each.at("useKeystore")));
        json::value file = good.at("json");
        std::string password = text_of(good.at("password"));
        const json::object& change = each.as_object();
        if (const auto* other = change.if_contains("password"))
            password = text_of(*other);
        if (const auto* patch = change.if_contains("patch"))
        {
            for (const auto& [path, value] : patch->as_object())
                at_path(file, path) = value;
        }
        if (const auto* cut = change.if_contains("truncate"))
        {
            for (const auto& [path, size] : cut->as_object())
                at_path(file, path).as_string().resize(static_cast<std::size_t>(size.as_int64()));
        }
        const auto since = std::chrono::steady_clock::now();
        const auto key = evm::open_keystore(json::serialize(file), password);
        REQUIRE_FALSE(key.has_value());
        CHECK(key.error().code() == errc::invalid);
        CHECK_THAT(key.error().message(), Catch::Contains("keystore"));
        // The derived key of 2^30 would take minutes and a terabyte.
        CHECK(std::chrono::steady_clock::now() - since < std::chrono::seconds(20));
    }
}

TEST_CASE("no file is so odd that it is more than refused, and none is quoted", "[evm][keystore]")
{
    const json::object& good = keystore("ethers-scrypt-tiny-n1024-empty-password");
    const std::string secret =
        text_of(at_path(const_cast<json::value&>(good.at("json")), "Crypto.ciphertext"));
    const char* paths[] = {
        "version",
        "Crypto",
        "Crypto.cipher",
        "Crypto.cipherparams",
        "Crypto.cipherparams.iv",
        "Crypto.ciphertext",
        "Crypto.kdf",
        "Crypto.kdfparams",
        "Crypto.kdfparams.n",
        "Crypto.kdfparams.r",
        "Crypto.kdfparams.p",
        "Crypto.kdfparams.dklen",
        "Crypto.kdfparams.salt",
        "Crypto.mac"};
    const json::value values[] = {
        nullptr, -1, 0, 1.5, "", "0", "xyz", json::array(), json::object(), ~std::uint64_t(0), "\xc3\xa4"};
    for (const char* path : paths)
    {
        for (const json::value& value : values)
        {
            json::value file = good.at("json");
            at_path(file, path) = value;
            const auto key = evm::open_keystore(json::serialize(file), "");
            INFO(path << " " << json::serialize(value));
            REQUIRE_FALSE(key.has_value());
            CHECK_THAT(key.error().message(), !Catch::Contains(secret));
        }
    }
    CHECK_FALSE(evm::open_keystore("", "").has_value());
    CHECK_FALSE(evm::open_keystore("[]", "").has_value());
    CHECK_FALSE(evm::open_keystore(std::string(100'000, ' '), "").has_value());
    CHECK_FALSE(evm::open_keystore(std::string(60'000, '['), "").has_value());
}
