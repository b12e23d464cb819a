#include "cli/sell/payment_spec.hpp"

#include "cli/sell/checked_address.hpp"
#include "cli/sell/spec_fields.hpp"

#include <cstdlib>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr const char* default_network = "base-sepolia";
constexpr const char* default_inference_price = "0.001";

/// What was given of a price, by its field and the flag.
struct given_price
{
    api::price_model model;
    const char* flag;
    const std::string& amount;
};

result<void> fill_price(const offer_flags& of, json::object& payment)
{
    const given_price all[] = {
        {api::price_model::per_request, "--price", of.price},
        {api::price_model::per_mtok, "--per-mtok", of.per_mtok},
        {api::price_model::per_hour, "--per-hour", of.per_hour}};
    const given_price* given = nullptr;
    for (const given_price& each : all)
    {
        if (each.amount.empty())
            continue;
        if (given)
            return fail(errc::invalid, "{} and {} are given: a price is one of them", given->flag, each.flag);
        given = &each;
    }
    if (given)
    {
        // A price that was there before would go before this one, or stand beside it.
        payment["price"] = json::object{{api::field_of(given->model), given->amount}};
        return {};
    }
    if (payment.contains("price"))
        return {};
    if (of.type != api::offer_type::inference)
        return fail(
            errc::invalid,
            "--price AMOUNT is missing: what one request costs, such as --price 0.001 (or "
            "--per-mtok, --per-hour)"
        );
    payment["price"] = json::object{{api::field_of(api::price_model::per_request), default_inference_price}};
    return {};
}

result<void> fill_pay_to(const offer_flags& of, json::object& payment)
{
    const char* from = of.pay_to.empty() ? "X402_WALLET" : "--pay-to";
    std::string address = of.pay_to;
    if (address.empty() && !payment.contains("payTo"))
    {
        const char* wallet = std::getenv("X402_WALLET");
        address = wallet ? wallet : "";
        if (address.empty())
            return fail(
                errc::invalid,
                "--pay-to 0x… is missing: the address that is paid; or set X402_WALLET in the environment"
            );
    }
    if (address.empty())
        return {};
    auto checked = checked_address(address);
    if (!checked)
        return checked.error().within(from);
    payment["payTo"] = *checked;
    return {};
}

result<void> fill_asset(const offer_flags& of, json::object& payment)
{
    if (of.obol_token && !of.asset.empty())
        return fail(errc::invalid, "--obol-token is --token OBOL: give one of them");
    const std::string asset = of.obol_token ? "OBOL" : of.asset;
    if (asset.empty())
        return {};
    if (!asset.starts_with("0x"))
    {
        payment["asset"] = json::object{{"symbol", asset}};
        return {};
    }
    auto checked = checked_address(asset);
    if (!checked)
        return checked.error().within("--token");
    payment["asset"] = json::object{{"address", *checked}};
    return {};
}

}  // namespace

result<void> fill_payment(const offer_flags& of, json::object& payment)
{
    put(payment, "network", of.network);
    if (!payment.contains("network"))
        payment["network"] = default_network;
    put(payment, "facilitator", of.facilitator);
    if (!of.max_timeout.empty())
    {
        const auto read = read_number(of.max_timeout, 86400, "--max-timeout");
        if (!read)
            return read.error();
        payment["maxTimeoutSeconds"] = *read;
    }
    for (const auto& fill : {fill_price, fill_pay_to, fill_asset})
    {
        auto filled = fill(of, payment);
        if (!filled)
            return filled;
    }
    return {};
}

}  // namespace portitor::cli::sell
