#include "evm_vectors.hpp"
#include "run.hpp"
#include "scripted_client.hpp"

#include <portitor/evm/signer.hpp>

using namespace portitor;
using namespace portitor::evm;
namespace json = boost::json;

namespace {

constexpr const char* token = "letmein";

transaction any()
{
    transaction out;
    out.chain_id = 84532;
    out.nonce = 7;
    out.max_priority_fee = 1'000'000;
    out.max_fee = 2'500'000;
    out.gas_limit = 260'000;
    out.to = address::parse("0x8004A818BFB912233c491871b3d84c89A494BD9e").value();
    out.data = {1, 2, 3};
    return out;
}

/// A signer elsewhere, with one key, as honest as the test says.
struct fixture
{
    boost::asio::io_context context;
    scripted_client client;
    private_key key = private_key::parse(text_of(vectors().at("accounts").at(0).at("privateKey"))).value();
    std::string public_key = text_of(vectors().at("accounts").at(0).at("publicKeyUncompressed"));
    remote_signer_options options;

    explicit fixture(signer_api api)
    {
        options.url = "https://signer.test/base/";
        options.account = key.address();
        options.token = token;
        options.api = api;
        // Before a test says otherwise, a good one.
        client.script = [this](const scripted_client::seen& asked) { return honest(asked); };
    }

    http::response honest(const scripted_client::seen& asked)
    {
        const std::string target(asked.message.target());
        if (target == "/base/api/v1/eth1/publicKeys")
            return answer_with(200, json::serialize(json::array{"0x04", 5, public_key}));
        const json::value body = json::parse(asked.message.body());
        if (target == "/base/api/v1/eth1/sign/" + public_key)
            return answer_with(200, to_hex(key.sign(keccak256(bytes_of(body.at("data"))))));
        if (target == "/base/api/v1/sign/" + key.address().to_string() + "/transaction")
            return answer_with(
                200, json::serialize(json::object{{"signed_transaction", to_hex(sign_fields(body).raw)}})
            );
        return answer_with(404, R"({"error":"no such key","code":"SIGNER_NOT_FOUND"})");
    }

    /// Of what was asked for in so many words.
    signed_transaction sign_fields(const json::value& body) const
    {
        const auto number = [&](const char* name) { return parse_u256(text_of(body.at(name))).value(); };
        transaction what;
        what.chain_id = static_cast<std::uint64_t>(number("chain_id"));
        what.nonce = static_cast<std::uint64_t>(number("nonce"));
        what.gas_limit = static_cast<std::uint64_t>(number("gas_limit"));
        what.max_fee = number("max_fee_per_gas");
        what.max_priority_fee = number("max_priority_fee_per_gas");
        what.value = number("value");
        what.to = address::parse(text_of(body.at("to"))).value();
        what.data = bytes_of(body.at("data"));
        return with_signature(what, key.sign(signing_hash(what)));
    }

    result<signed_transaction> sign(const transaction& what = any())
    {
        const auto made = make_remote_signer(client, options);
        return test::run(context, (*made)->sign(what));
    }
};

}  // namespace

TEST_CASE("a signer here signs as its key does", "[evm][signer]")
{
    fixture f(signer_api::transaction);
    const signed_transaction expected = with_signature(any(), f.key.sign(signing_hash(any())));
    const address account = f.key.address();
    const auto here = make_local_signer(std::move(f.key));
    CHECK((here->account() == account));
    CHECK(test::run(f.context, here->sign(any())).value().raw == expected.raw);
}

TEST_CASE("a signer elsewhere gives what one here would", "[evm][signer]")
{
    fixture f(GENERATE(signer_api::transaction, signer_api::web3signer));
    const signed_transaction expected = with_signature(any(), f.key.sign(signing_hash(any())));
    const auto made = f.sign();
    REQUIRE(made.has_value());
    CHECK(made->raw == expected.raw);
    CHECK(made->hash == expected.hash);
    for (const auto& each : f.client.requests)
        CHECK(each.message[http::field::authorization] == std::string("Bearer ") + token);
}

TEST_CASE("a signature alone is taken too, however its v is written", "[evm][signer]")
{
    fixture f(signer_api::transaction);
    signature_bytes signature = f.key.sign(signing_hash(any()));
    signature.back() = static_cast<std::uint8_t>(signature.back() - GENERATE(0, 27));
    f.client.script = [&](const auto&) {
        return answer_with(200, json::serialize(json::object{{"signature", to_hex(signature)}}));
    };
    CHECK(f.sign().has_value());
}

TEST_CASE("a signer that does otherwise than it was asked is told so, and never quoted", "[evm][signer]")
{
    const signer_api api = GENERATE(signer_api::transaction, signer_api::web3signer);
    fixture f(api);
    const auto refused = [&](errc code) {
        const auto made = f.sign();
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code() == code);
        CHECK_THAT(
            made.error().message(),
            !Catch::Contains("signer.test") && !Catch::Contains(token) && !Catch::Contains("secret")
        );
    };
    SECTION("another transaction, or another key")
    {
        const private_key other =
            private_key::parse(text_of(vectors().at("accounts").at(1).at("privateKey"))).value();
        transaction what = any();
        what.nonce = GENERATE(7U, 8U);
        f.client.script = [&](const scripted_client::seen& asked) {
            if (std::string(asked.message.target()).ends_with("publicKeys"))
                return f.honest(asked);
            const signature_bytes by = other.sign(signing_hash(what));
            return answer_with(
                200,
                api == signer_api::web3signer
                    ? to_hex(by)
                    : json::serialize(json::object{
                          {"signed_transaction", to_hex(with_signature(what, by).raw)}})
            );
        };
        refused(errc::protocol);
    }
    SECTION("nonsense")
    {
        const std::string body = GENERATE(
            as<std::string>(),
            "",
            "{}",
            "[]",
            R"({"error":"secret"})",
            R"({"signed_transaction":"0xzz"})",
            R"({"signed_transaction":7})",
            R"({"signature":"0x00"})",
            "0x",
            "secret"
        );
        f.client.script = [&](const scripted_client::seen& asked) {
            return std::string(asked.message.target()).ends_with("publicKeys") ? f.honest(asked)
                                                                               : answer_with(200, body);
        };
        refused(errc::protocol);
    }
    SECTION("a refusal")
    {
        const auto [status, code] = GENERATE(table<unsigned, errc>(
            {{400, errc::refused},
             {401, errc::refused},
             {404, errc::refused},
             {422, errc::refused},
             {429, errc::unavailable},
             {500, errc::unavailable}}
        ));
        f.client.script = [given = status](const auto&) { return answer_with(given, "secret"); };
        refused(code);
    }
    SECTION("silence")
    {
        f.client.script = [](const auto&) -> scripted_client::answer {
            return fail(errc::timed_out, "signer.test says nothing");
        };
        refused(errc::timed_out);
    }
}

TEST_CASE("a signer that does not have the key says so before anything is signed", "[evm][signer]")
{
    fixture f(signer_api::web3signer);
    f.public_key = text_of(vectors().at("accounts").at(1).at("publicKeyUncompressed"));
    const auto made = f.sign();
    CHECK(made.error().code() == errc::refused);
    CHECK_THAT(made.error().message(), Catch::Contains(f.key.address().to_checksum()));
    CHECK(f.client.requests.size() == 1);
}

TEST_CASE("a signer's URL is an https one, unless http is allowed", "[evm][signer]")
{
    fixture f(signer_api::transaction);
    f.options.url = "http://signer.test";
    CHECK_FALSE(make_remote_signer(f.client, f.options).has_value());
    f.options.allow_http = true;
    CHECK(make_remote_signer(f.client, f.options).has_value());
    f.options.url = "https://signer.test/?key=1";
    CHECK_FALSE(make_remote_signer(f.client, f.options).has_value());
    f.options.url = "https://signer.test";
    f.options.account = {};
    CHECK_FALSE(make_remote_signer(f.client, f.options).has_value());
}
