#include "roles/registrar/keys.hpp"

#include "config/transport.hpp"
#include "roles/registrar/keystore_thread.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/core/small_file.hpp>
#include <portitor/evm/private_key.hpp>
#include <portitor/evm/spelled_address.hpp>
#include <portitor/x402/base64.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr kube::resource secrets{"", "v1", "secrets", "Secret"};
constexpr const char* password_entry = "password";

/// Wipes a text at the end of a block; where there is one.
class wiper
{
public:
    explicit wiper(result<std::string>& secret) : secret_(secret) {}
    wiper(const wiper&) = delete;
    wiper& operator=(const wiper&) = delete;
    ~wiper()
    {
        if (secret_)
            evm::wipe(*secret_);
    }

private:
    result<std::string>& secret_;
};

/// Editors, and who writes a password with echo, end it with a newline that is no part of it.
std::string_view without_line_end(std::string_view text)
{
    const auto last = text.find_last_not_of("\r\n");
    return text.substr(0, last == text.npos ? 0 : last + 1);
}

made_signer open_files(const key_options& from)
{
    auto keystore = read_small_file(from.key_file);
    const wiper no_keystore(keystore);
    if (!keystore)
        return keystore.error().within("--key-file");
    auto password = read_small_file(from.key_password_file);
    const wiper no_password(password);
    if (!password)
        return password.error().within("--key-password-file");
    return decrypt(
        *keystore,
        without_line_end(*password),
        fmt::format("--key-file {} (--key-password-file {})", from.key_file, from.key_password_file)
    );
}

made_signer open_remote(http::client& client, const key_options& from)
{
    evm::remote_signer_options made;
    made.url = from.signer_url;
    const auto account = evm::address::parse(from.signer_address);
    if (!account)
        return account.error().within("--signer-address");
    made.account = *account;
    made.api = from.signer_api == "web3signer" ? evm::signer_api::web3signer : evm::signer_api::transaction;
    made.allow_http = from.allow_insecure;
    if (!from.signer_token_file.empty())
    {
        auto token = read_small_file(from.signer_token_file);
        if (!token)
            return token.error().within("--signer-token-file");
        const wiper no_token(token);
        made.token = trimmed(*token);
        const auto is_visible = [](char each) { return each > ' ' && each < '\x7f'; };
        if (made.token.empty() || !std::all_of(made.token.begin(), made.token.end(), is_visible))
            return fail(
                errc::invalid,
                "--signer-token-file: {} does not hold one word, the token",
                from.signer_token_file
            );
    }
    auto signer = evm::make_remote_signer(client, std::move(made));
    if (!signer)
        return signer.error().within("--signer-url");
    return signer;
}

error unreadable(const kube::object_key& secret, const kube::api_error& why)
{
    const std::string name = secret.to_string();
    constexpr unsigned forbidden = 403;
    if (why.is_not_found())
        return fail(errc::not_found, "there is no Secret {}", name);
    if (why.http_status() == forbidden)
        return fail(
            errc::refused,
            "the registrar may not read Secret {}: it needs a Role for it, which the chart makes of the list "
            "signers",
            name
        );
    return fail(why.code(), "Secret {} cannot be read now: {}", name, to_string(why.code()));
}

result<std::string> entry_of(const kube::object& secret, const std::string& name)
{
    const std::string which = secret.meta.key().to_string();
    if (!secret.unreadable.empty())
        return fail(errc::invalid, "Secret {} cannot be read: {}", which, secret.unreadable);
    // Not by a path: names have points.
    const auto& data = kube::object_at(secret.raw, "data");
    const boost::json::value* found = data.if_contains(name);
    if (!found || !found->is_string())
        return fail(errc::invalid, "Secret {} has no entry \"{}\"", which, name);
    auto decoded = x402::decode_base64(found->get_string());
    if (!decoded)
        return fail(errc::invalid, "Secret {}: entry \"{}\" is not base64", which, name);
    return decoded;
}

result<void> need(const std::string& one, const char* flag, const std::string& other, const char* other_flag)
{
    if (!one.empty() && other.empty())
        return fail(errc::invalid, "{} needs {}", flag, other_flag);
    return {};
}

}  // namespace

void key_options::declare(config::loader& into)
{
    const config::headed own = into.under("Registrar");
    own.add(
        {"key-file",
         "the operator's key, a V3 keystore as geth and cast write it; see --signer-url",
         "",
         config::set_text(key_file)}
    );
    own.add({"key-password-file", "its password", "", config::set_text(key_password_file)});
    own.add(
        {"signer-url",
         "a signer that has the operator's key, in place of --key-file",
         "",
         config::set_text(signer_url)}
    );
    own.add({"signer-address", "the account that it signs for", "", config::set_text(signer_address)});
    config::option api{
        "signer-api",
        "how it is asked: /api/v1/sign/ADDRESS/transaction, or as Web3Signer",
        "transaction",
        config::set_one_of(signer_api, {"transaction", "web3signer"})};
    api.values = {"transaction", "web3signer"};
    own.add(std::move(api));
    own.add(
        {"signer-token-file",
         "what it is told as Authorization: Bearer",
         "",
         config::set_text(signer_token_file)}
    );
    into.add(config::insecure_option(allow_insecure));
}

result<void> key_options::resolve()
{
    if (!key_file.empty() && !signer_url.empty())
        return fail(errc::invalid, "--key-file and --signer-url: give one of the two");
    for (const auto& fits :
         {need(key_file, "--key-file", key_password_file, "--key-password-file"),
          need(key_password_file, "--key-password-file", key_file, "--key-file"),
          need(signer_url, "--signer-url", signer_address, "--signer-address"),
          need(signer_address, "--signer-address", signer_url, "--signer-url"),
          need(signer_token_file, "--signer-token-file", signer_url, "--signer-url")})
    {
        if (!fits)
            return fits;
    }
    if (signer_url.empty())
        return {};
    const auto account = evm::read_spelled_address(signer_address);
    if (!account)
        return account.error().within("--signer-address");
    // It is not told: there may be a password in it.
    const auto where = http::parse_url(signer_url);
    if (!where)
        return fail(errc::invalid, "--signer-url is not an absolute http or https URL");
    if (!config::may_be_asked(where->origin, allow_insecure))
        return fail(errc::invalid, "--signer-url {}", config::wants_https);
    return {};
}

asio::awaitable<result<std::unique_ptr<evm::signer>>>
make_operator_signer(http::client& client, key_options options)
{
    if (!options.given())
        co_return fail(errc::invalid, "neither --key-file nor --signer-url is given");
    co_return co_await in_own_thread([&] {
        return options.key_file.empty() ? open_remote(client, options) : open_files(options);
    });
}

asio::awaitable<result<std::unique_ptr<evm::signer>>>
make_request_signer(kube::api& server, kube::object_key secret, std::string key)
{
    const auto live = co_await server.get(secrets, secret);
    if (!live)
        co_return unreadable(secret, live.error());
    auto keystore = entry_of(**live, key);
    const wiper no_keystore(keystore);
    if (!keystore)
        co_return keystore.error();
    auto password = entry_of(**live, password_entry);
    const wiper no_password(password);
    if (!password)
        co_return password.error();
    const std::string where =
        fmt::format("Secret {}, entries {} and {}", secret.to_string(), key, password_entry);
    co_return co_await in_own_thread([&] { return decrypt(*keystore, without_line_end(*password), where); });
}

}  // namespace portitor::registrar
