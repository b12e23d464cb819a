#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

/// Requirements and payments that fit each other, for tests to spoil.
namespace portitor::x402::samples {

namespace json = boost::json;

inline const std::string payer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
inline const std::string seller = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
inline const std::string nonce = "0xF3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480";
inline constexpr std::int64_t now_seconds = 1'795'511'510;

inline clock::time_point now()
{
    return clock::time_point(std::chrono::seconds(now_seconds));
}

struct manual_clock final : clock
{
    time_point time = samples::now();
    time_point now() const override { return time; }
};

/// A requirement as it is told in v2.
inline std::string v2_json(const payment_requirement& wanted)
{
    const std::string amount = to_string(wanted.amount);
    std::string out;
    append_v2_json(out, view_of(wanted, amount));
    return out;
}

/// The same in v1.
inline std::string v1_json(const payment_requirement& wanted)
{
    const std::string amount = to_string(wanted.amount);
    std::string out;
    append_v1_json(out, view_of(wanted, amount));
    return out;
}

inline const network_table& networks()
{
    static const network_table table = network_table::built_in();
    return table;
}

inline payment_requirement usdc_requirement()
{
    const network* on = networks().find("base-sepolia");
    payment_requirement wanted = make_requirement(*on, *on->default_token());
    wanted.amount = 10000;
    wanted.pay_to = seller;
    wanted.resource_url = "https://example.test/services/hello";
    wanted.description = "paid";
    wanted.mime_type = "application/json";
    return wanted;
}

inline payment_requirement permit2_requirement()
{
    const network* on = networks().find("base-sepolia");
    payment_requirement wanted = make_requirement(*on, *on->find_token("OBOL"));
    wanted.amount = 10000;
    wanted.pay_to = seller;
    wanted.resource_url = "https://example.test/services/hello";
    return wanted;
}

inline json::object eip3009_payload()
{
    json::object authorization;
    authorization["from"] = payer;
    authorization["to"] = seller;
    authorization["value"] = "10000";
    authorization["validAfter"] = "0";
    authorization["validBefore"] = std::to_string(now_seconds + 60);
    authorization["nonce"] = nonce;
    json::object payload;
    payload["signature"] = "0x" + std::string(130, 'a');
    payload["authorization"] = authorization;
    return payload;
}

inline json::object permit2_payload()
{
    json::object permitted;
    permitted["token"] = permit2_requirement().asset;
    permitted["amount"] = "10000";
    json::object witness;
    witness["to"] = seller;
    witness["validAfter"] = "0";
    json::object authorization;
    authorization["from"] = payer;
    authorization["permitted"] = permitted;
    authorization["spender"] = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";
    authorization["nonce"] = "00727492244582701645290";
    authorization["deadline"] = std::to_string(now_seconds + 60);
    authorization["witness"] = witness;
    json::object payload;
    payload["signature"] = "0x" + std::string(130, 'b');
    payload["permit2Authorization"] = authorization;
    return payload;
}

inline json::object v2_payment(const payment_requirement& wanted)
{
    json::object out;
    out["x402Version"] = 2;
    out["accepted"] = json::parse(v2_json(wanted));
    out["payload"] = wanted.method == transfer_method::permit2 ? permit2_payload() : eip3009_payload();
    return out;
}

inline json::object v1_payment()
{
    json::object out;
    out["x402Version"] = 1;
    out["scheme"] = "exact";
    out["network"] = "base-sepolia";
    out["payload"] = eip3009_payload();
    return out;
}

inline std::string encode(const json::object& message)
{
    return encode_base64(json::serialize(message));
}

inline result<payment> decode_v2(const json::object& message)
{
    return decode_payment(payment_header::payment_signature, encode(message), networks());
}

inline result<payment> decode_v1(const json::object& message)
{
    return decode_payment(payment_header::x_payment, encode(message), networks());
}

/// The value at a path of member names separated by '/'.
inline json::value& at(json::object& from, const std::string& path)
{
    const auto slash = path.find('/');
    if (slash == std::string::npos)
        return from[path];
    return at(from.at(path.substr(0, slash)).as_object(), path.substr(slash + 1));
}

inline json::value load(const std::string& name)
{
    std::ifstream file("test/unit/x402/data/" + name);
    if (!file)
        throw std::runtime_error("cannot read " + name);
    std::stringstream text;
    text << file.rdbuf();
    return json::parse(text.str());
}

}  // namespace portitor::x402::samples
