#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>
#include <portitor/evm/signer.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::evm {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// A signed transaction is as long as what was asked for; a list of keys may be long.
constexpr std::size_t max_answer = 1024 * 1024;

/// A signature as signers write it: v may also be the parity alone.
result<signature_bytes> read_signature(std::string_view hex)
{
    constexpr std::uint8_t lowest_v = 27;
    signature_bytes out{};
    if (!parse_hex(hex, out))
        return fail(errc::protocol, "the signer's answer is no signature of 65 bytes");
    if (out.back() < lowest_v)
        out.back() = static_cast<std::uint8_t>(out.back() + lowest_v);
    if (out.back() != lowest_v && out.back() != lowest_v + 1)
        return fail(errc::protocol, "the signer's answer is no signature: its v is neither 27 nor 28");
    return out;
}

std::string_view text_at(const json::object& in, std::string_view name)
{
    const json::value* found = in.if_contains(name);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string())
                                                  : std::string_view();
}

class remote_signer : public signer
{
public:
    remote_signer(http::client& client, http::url where, remote_signer_options options)
        : client_(&client), where_(std::move(where)), options_(std::move(options))
    {
        while (where_.target.ends_with('/'))
            where_.target.pop_back();
    }

    const address& account() const override { return options_.account; }

protected:
    /// The body of a 2xx.
    asio::awaitable<result<std::string>> exchange(http::verb method, std::string path, std::string body)
    {
        http::request message(method, where_.target + path, 11);
        message.set(http::field::host, where_.origin.authority());
        message.set(http::field::accept, "application/json, text/plain");
        if (!options_.token.empty())
            message.set(http::field::authorization, "Bearer " + options_.token);
        if (!body.empty())
            message.set(http::field::content_type, "application/json");
        message.body() = std::move(body);
        message.prepare_payload();
        http::client_options limits;
        limits.timeout = options_.timeout;
        limits.max_body = max_answer;
        http::origin server = where_.origin;
        auto answer = co_await client_->send(std::move(server), std::move(message), limits);
        // The messages of a failure below name the server, which is the operator's secret.
        if (!answer)
            co_return error(answer.error().code(), "no answer from the signer");
        co_return read_status(std::move(*answer));
    }

    /// The signature, made a transaction of.
    result<signed_transaction> take(const transaction& what, const signature_bytes& signature) const
    {
        return check_signed(what, with_signature(what, signature).raw, options_.account);
    }

private:
    result<std::string> read_status(http::response answer) const
    {
        const unsigned code = answer.result_int();
        if (code / 100 == 2)
            return std::move(answer.body());
        if (code == 401 || code == 403)
            return fail(errc::refused, "the signer refuses the registrar's token (status {})", code);
        if (code == 404)
            return fail(
                errc::refused, "the signer has no key of {} (status 404)", options_.account.to_checksum()
            );
        const bool overloaded = code == 429 || code >= 500;
        return fail(
            overloaded ? errc::unavailable : errc::refused, "the signer answers with status {}", code
        );
    }

    http::client* client_;
    http::url where_;
    remote_signer_options options_;
};

class transaction_api final : public remote_signer
{
public:
    using remote_signer::remote_signer;

    asio::awaitable<result<signed_transaction>> sign(transaction what) override
    {
        const json::object body{
            {"chain_id", std::to_string(what.chain_id)},
            {"to", what.to.to_checksum()},
            {"nonce", std::to_string(what.nonce)},
            {"gas_limit", std::to_string(what.gas_limit)},
            {"max_fee_per_gas", to_string(what.max_fee)},
            {"max_priority_fee_per_gas", to_string(what.max_priority_fee)},
            {"value", to_string(what.value)},
            {"data", to_hex(what.data)}};
        auto answer = co_await exchange(
            http::verb::post, "/api/v1/sign/" + account().to_string() + "/transaction", json::serialize(body)
        );
        if (!answer)
            co_return answer.error();
        co_return read(what, *answer);
    }

private:
    result<signed_transaction> read(const transaction& what, std::string_view body) const
    {
        boost::system::error_code failed;
        const json::value parsed = json::parse(body, failed);
        const json::object* said = failed ? nullptr : parsed.if_object();
        if (said == nullptr)
            return fail(errc::protocol, "the signer's answer is no JSON object");
        if (const auto whole = text_at(*said, "signed_transaction"); !whole.empty())
        {
            const auto raw = parse_hex(whole);
            if (!raw)
                return fail(errc::protocol, "the signer's signed_transaction is not hexadecimal");
            return check_signed(what, *raw, account());
        }
        const auto signature = read_signature(text_at(*said, "signature"));
        return signature ? take(what, *signature) : signature.error();
    }
};

class web3signer_api final : public remote_signer
{
public:
    using remote_signer::remote_signer;

    asio::awaitable<result<signed_transaction>> sign(transaction what) override
    {
        if (public_key_.empty())
        {
            const auto known = co_await exchange(http::verb::get, "/api/v1/eth1/publicKeys", {});
            if (!known)
                co_return known.error();
            public_key_ = own_key(*known);
            if (public_key_.empty())
                co_return fail(errc::refused, "the signer has no key of {}", account().to_checksum());
        }
        const json::object body{{"data", to_hex(signing_payload(what))}};
        auto answer =
            co_await exchange(http::verb::post, "/api/v1/eth1/sign/" + public_key_, json::serialize(body));
        if (!answer)
        {
            // Keys are reloaded while it runs.
            public_key_.clear();
            co_return answer.error();
        }
        std::string_view hex(*answer);
        while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r' || hex.back() == '"'))
            hex.remove_suffix(1);
        if (hex.starts_with('"'))
            hex.remove_prefix(1);
        const auto signature = read_signature(hex);
        co_return signature ? take(what, *signature) : signature.error();
    }

private:
    /// Of the account, among the keys that the signer lists; empty where it is not there.
    std::string own_key(std::string_view list) const
    {
        boost::system::error_code failed;
        const json::value parsed = json::parse(list, failed);
        const json::array* keys = failed ? nullptr : parsed.if_array();
        for (const json::value& each : keys != nullptr ? *keys : json::array())
        {
            if (!each.is_string())
                continue;
            const std::string text(each.get_string());
            const auto read = parse_hex(text);
            if (!read || read->size() < 64)
                continue;
            // Uncompressed, with or without the 4 before it.
            const auto point = std::span(*read).last(64);
            if (address_of_public_key(point.first<64>()) == account())
                return text;
        }
        return {};
    }

    std::string public_key_;
};

}  // namespace

result<std::unique_ptr<signer>> make_remote_signer(http::client& client, remote_signer_options options)
{
    auto where = http::parse_url(options.url);
    if (!where || where->target.find('?') != std::string::npos)
        return fail(errc::invalid, "the signer's URL is not an absolute http or https URL without a query");
    if (where->origin.scheme != "https" && !options.allow_http)
        return fail(errc::invalid, "the signer's URL must begin with https://");
    if (options.account.is_zero())
        return fail(errc::invalid, "a remote signer needs the address of its account");
    if (options.api == signer_api::web3signer)
        return std::make_unique<web3signer_api>(client, std::move(*where), std::move(options));
    return std::make_unique<transaction_api>(client, std::move(*where), std::move(options));
}

}  // namespace portitor::evm
