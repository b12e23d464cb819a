#include "../../evm/scripted_client.hpp"
#include "evm_vectors.hpp"
#include "given_options.hpp"
#include "roles/registrar/keys.hpp"
#include "run.hpp"
#include "sandbox/api.hpp"

#include <portitor/core/metrics.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/x402/base64.hpp>

#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::registrar;
using portitor::test::complaint;
using portitor::test::has;
using portitor::test::run;
namespace json = boost::json;

namespace {

constexpr const char* secret_word = "cast password";

const json::object& vector_of(std::string_view name)
{
    for (const auto& each : vectors().at("keystores").as_array())
    {
        if (text_of(each.at("name")) == name)
            return each.as_object();
    }
    throw std::runtime_error("no such keystore");
}

std::string keystore()
{
    return json::serialize(vector_of("cast-scrypt").at("json"));
}

const evm::address account = evm::address::parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC").value();

/// What the signer is: its account, or what is wrong.
std::string told(const result<std::unique_ptr<evm::signer>>& made)
{
    return made ? (*made)->account().to_checksum() : made.error().message();
}

struct key_world
{
    boost::asio::io_context context;
    scripted_client client;  // is not asked to make a signer
    test::temp_folder folder;
    key_options options = [] {
        key_options out;
        REQUIRE(complaint(out, {}) == "no error");
        return out;
    }();

    result<std::unique_ptr<evm::signer>> make()
    {
        return run(context, make_operator_signer(client, options));
    }
};

struct secret_world
{
    boost::asio::io_context context;
    steady_timekeeper timers;
    system_clock wall;
    metrics numbers;
    sandbox::server server{context.get_executor(), timers, wall};
    sandbox::api api{server, numbers};

    secret_world()
    {
        for (sandbox::kind_info& each : sandbox::installed_kinds())
            server.storage().add_kind(std::move(each));
    }

    void secret(const json::object& data)
    {
        constexpr kube::resource kind{"", "v1", "secrets", "Secret"};
        json::object wanted{{"metadata", {{"namespace", "shop"}, {"name", "agent"}}}, {"data", data}};
        const auto made = server.storage().create(sandbox::kind_id(kind), "shop", std::move(wanted), "user");
        REQUIRE(made.good());
    }

    result<std::unique_ptr<evm::signer>> make()
    {
        return run(context, make_request_signer(api, {"shop", "agent"}, "key.json"));
    }
};

std::string base64(std::string_view text)
{
    return x402::encode_base64(text);
}

}  // namespace

TEST_CASE("the flags of the operator's key fit together", "[registrar][keys]")
{
    key_options read;
    CHECK(complaint(read, {}) == "no error");
    CHECK_FALSE(read.given());
    const std::string url = "--signer-url=https://signer.example.com/secret";
    const std::string account_flag = "--signer-address=0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    const auto told = [&](const std::vector<std::string>& flags) {
        const std::string out = complaint(read, flags);
        CHECK_FALSE(has(out, "secret"));
        return out;
    };
    CHECK(told({"--key-file=k", "--key-password-file=p"}) == "no error");
    CHECK(read.given());
    CHECK(told({url, account_flag, "--signer-token-file=t", "--signer-api=web3signer"}) == "no error");
    CHECK(read.given());
    CHECK(told({"--key-file=k"}) == "--key-file needs --key-password-file");
    CHECK(told({"--key-password-file=p"}) == "--key-password-file needs --key-file");
    CHECK(told({url}) == "--signer-url needs --signer-address");
    CHECK(told({account_flag}) == "--signer-address needs --signer-url");
    CHECK(told({"--signer-token-file=t"}) == "--signer-token-file needs --signer-url");
    CHECK(has(told({"--key-file=k", url}), "--key-file and --signer-url"));
    CHECK(has(told({url, account_flag, "--signer-api=vault"}), "none of transaction, web3signer"));
    CHECK(
        has(told({url, "--signer-address=0x3c44CdDdB6a900fa2b585dd299e03d12FA4293BC"}),
            "--signer-address: a digit")
    );
    CHECK(has(told({url, "--signer-address=0x3c"}), "--signer-address: an address is wanted"));
    CHECK(has(told({"--signer-url=secret", account_flag}), "--signer-url is not an absolute"));

    const std::string http = "--signer-url=http://signer.shop.svc:9000/secret";
    CHECK(has(told({http, account_flag}), "--signer-url is not https"));
    CHECK(told({http, account_flag, "--allow-insecure-facilitator"}) == "no error");
    CHECK(
        has(told({"--signer-url=http://10.0.0.1/secret", account_flag, "--allow-insecure-facilitator"}),
            "--signer-url is not https")
    );
}

TEST_CASE_METHOD(key_world, "the operator's key is read from its files", "[registrar][keys]")
{
    options.key_file = folder.write("key.json", keystore());
    for (const std::string end : {"", "\n", "\r\n"})
    {
        options.key_password_file = folder.write("password", secret_word + end);
        CHECK(told(make()) == account.to_checksum());
    }
    // It signs by itself.
    auto made = make();
    REQUIRE(made.has_value());
    evm::transaction what;
    what.chain_id = 1;
    CHECK(run(context, (*made)->sign(what)).has_value());
}

TEST_CASE_METHOD(key_world, "an empty password is one", "[registrar][keys]")
{
    const json::object& from = vector_of("ethers-scrypt-tiny-n1024-empty-password");
    options.key_file = folder.write("key.json", json::serialize(from.at("json")));
    options.key_password_file = folder.write("password", "\n");
    CHECK(told(make()) == text_of(from.at("address")));
}

TEST_CASE_METHOD(
    key_world, "what is wrong with the operator's key is said, and nothing quoted", "[registrar][keys]"
)
{
    CHECK(has(told(make()), "neither --key-file nor --signer-url"));
    options.key_file = folder.path("key.json");
    options.key_password_file = folder.path("password");
    CHECK(has(told(make()), "--key-file: " + options.key_file + " cannot be read"));
    folder.write("key.json", keystore());
    CHECK(has(told(make()), "--key-password-file: " + options.key_password_file + " cannot be read"));
    folder.write("password", "another word");
    CHECK(has(told(make()), "--key-file " + options.key_file));
    CHECK(has(told(make()), "does not open with this password"));
    CHECK_FALSE(has(told(make()), "another word"));
    folder.write("key.json", R"({"version": 3, "planted": "SECRET"})");
    CHECK(has(told(make()), "--key-file " + options.key_file));
    CHECK_FALSE(has(told(make()), "SECRET"));
}

TEST_CASE_METHOD(key_world, "keystores are opened one after the other, off the strand", "[registrar][keys]")
{
    options.key_file = folder.write("key.json", keystore());
    options.key_password_file = folder.write("password", secret_word);
    int done = 0;
    for (int i = 0; i < 4; ++i)
    {
        boost::asio::co_spawn(
            context,
            make_operator_signer(client, options),
            [&](const std::exception_ptr& thrown, const auto& made) {
                done += !thrown && told(made) == account.to_checksum() ? 1 : 0;
            }
        );
    }
    // The strand has nothing to do while the threads are at work.
    CHECK(context.poll() > 0);
    CHECK(done < 4);
    context.run();
    CHECK(done == 4);
}

TEST_CASE_METHOD(key_world, "a signer elsewhere is given by its URL and account", "[registrar][keys]")
{
    options.signer_url = "https://signer.example.com/secret";
    options.signer_address = account.to_string();
    CHECK(told(make()) == account.to_checksum());
    options.signer_token_file = folder.path("token");
    CHECK(has(told(make()), "--signer-token-file: " + options.signer_token_file + " cannot be read"));
    for (const std::string text : {"", "\n", "two words", "one\nline", "\x7f"})
    {
        folder.write("token", text);
        CHECK(has(told(make()), "does not hold one word, the token"));
        CHECK_FALSE(has(told(make()), "two"));
    }
    folder.write("token", "letmein\n");
    CHECK(told(make()) == account.to_checksum());
    options.signer_url = "ftp://secret";
    CHECK(has(told(make()), "--signer-url: "));
    CHECK_FALSE(has(told(make()), "secret"));
}

TEST_CASE_METHOD(secret_world, "a request's own key is read from its Secret", "[registrar][keys]")
{
    secret({{"key.json", base64(keystore())}, {"password", base64(std::string(secret_word) + "\n")}});
    CHECK(told(make()) == account.to_checksum());
}

TEST_CASE_METHOD(secret_world, "what is wrong with a request's Secret is said", "[registrar][keys]")
{
    SECTION("there is none")
    {
        const auto made = make();
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code() == errc::not_found);
        CHECK(told(made) == "there is no Secret shop/agent");
    }
    SECTION("without a keystore")
    {
        secret({{"password", base64(secret_word)}});
        CHECK(told(make()) == "Secret shop/agent has no entry \"key.json\"");
    }
    SECTION("without a password")
    {
        secret({{"key.json", base64(keystore())}});
        CHECK(told(make()) == "Secret shop/agent has no entry \"password\"");
    }
    SECTION("not base64")
    {
        secret({{"key.json", "PLANTED!"}, {"password", base64(secret_word)}});
        CHECK(told(make()) == "Secret shop/agent: entry \"key.json\" is not base64");
    }
    SECTION("another password")
    {
        secret({{"key.json", base64(keystore())}, {"password", base64("PLANTED")}});
        CHECK(
            has(told(make()), "Secret shop/agent, entries key.json and password: the keystore does not open")
        );
        CHECK_FALSE(has(told(make()), "PLANTED"));
    }
    SECTION("the server is away")
    {
        server.stop();
        const auto made = make();
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code() == errc::unavailable);
        CHECK(has(told(made), "Secret shop/agent cannot be read now"));
    }
}
