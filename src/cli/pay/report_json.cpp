#include "cli/pay/report.hpp"

#include <portitor/core/characters.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/words.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::cli::pay {

namespace {

namespace json = boost::json;

bool is_utf8(std::string_view text)
{
    while (!text.empty())
    {
        const character next = first_character(text);
        if (!next.is_good)
            return false;
        text.remove_prefix(next.bytes.size());
    }
    return true;
}

json::object option_json(const x402::payment_option& option, const x402::network_table& known)
{
    const auto& wanted = option.wanted;
    return {
        {"words", x402::amount_in_words(wanted.amount, wanted.network, wanted.asset, known)},
        {"network", wanted.network},
        {"amount", to_string(wanted.amount)},
        {"asset", wanted.asset},
        {"payTo", wanted.pay_to},
        {"maxTimeoutSeconds", wanted.max_timeout_seconds},
        {"assetTransferMethod", x402::to_string(wanted.method)},
        {"testNetwork", x402::is_test_network(option.chain_id)}};
}

json::object terms_json(const x402::offered_terms& terms, const x402::network_table& known)
{
    json::array options;
    for (const x402::payment_option& each : terms.options)
        options.push_back(option_json(each, known));
    json::array passed_over;
    for (const std::string& each : terms.passed_over)
        passed_over.push_back(json::string(each));
    return {
        {"x402Version", terms.version},
        {"error", terms.error},
        {"options", std::move(options)},
        {"passedOver", std::move(passed_over)}};
}

json::object receipt_json(const x402::receipt& got, const std::string& doubt)
{
    json::object out{
        {"success", got.success},
        {"transaction", got.transaction},
        {"network", got.network},
        {"payer", got.payer},
        {"reason", got.reason}};
    if (!doubt.empty())
        out["doubt"] = doubt;
    return out;
}

/// What is, or would be, paid; also by an earlier run, whose terms are not known any more.
json::object payment_json(const report& of, const x402::network_table& known)
{
    json::object out = of.chosen ? option_json(*of.chosen, known) : json::object();
    out["signed"] = of.is_paid();
    if (of.is_paid())
    {
        out["payer"] = of.payer;
        out["validBefore"] = of.valid_before;
        out["tries"] = of.tries;
    }
    if (!of.kept_in.empty())
        out["keptIn"] = of.kept_in;
    return out;
}

void add_answer(json::object& out, const report& of, const std::string& body_file)
{
    out["status"] = of.answer->result_int();
    if (!of.has_body())
        return;
    const std::string& body = of.answer->body();
    if (!body_file.empty())
        out["bodyFile"] = body_file;
    else if (is_utf8(body))
        out["body"] = body;
    else
        out["bodyBase64"] = x402::encode_base64(body);
}

}  // namespace

json::object to_json(const report& of, const x402::network_table& known, const std::string& body_file)
{
    json::object out{
        {"url", of.what.url}, {"method", of.what.method}, {"result", to_string(of.how)}, {"message", of.why}};
    if (of.terms)
        out["terms"] = terms_json(*of.terms, known);
    if (of.chosen || of.is_paid())
        out["payment"] = payment_json(of, known);
    if (of.receipt)
        out["receipt"] = receipt_json(*of.receipt, of.receipt_doubt);
    if (of.answer)
        add_answer(out, of, body_file);
    return out;
}

std::string to_json_text(const report& of, const x402::network_table& known, const std::string& body_file)
{
    return printable_json(json::serialize(to_json(of, known, body_file))) + "\n";
}

}  // namespace portitor::cli::pay
