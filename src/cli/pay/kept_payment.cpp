#include "cli/pay/kept_payment.hpp"

#include <portitor/core/small_file.hpp>
#include <portitor/x402/base64.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace portitor::cli::pay {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& from, std::string_view name)
{
    const json::value* found = from.if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

result<void> write_all(int file, std::string_view text)
{
    while (!text.empty())
    {
        const ssize_t done = ::write(file, text.data(), text.size());
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(errc::refused, "{}", std::generic_category().message(errno));
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
}

error not_kept(std::string_view why)
{
    return fail(errc::refused, "the payment could not be kept in a file, to ask again with it: {}", why);
}

}  // namespace

result<std::string> keep_payment(const kept_payment& what)
{
    const json::object text{
        {"url", what.url},
        {"method", what.method},
        {"header", x402::name_of(what.payment.header)},
        {"value", what.payment.value},
        {"payer", what.payment.payer.to_checksum()},
        {"validBefore", what.payment.valid_before}};
    std::error_code failed;
    std::string name = (std::filesystem::temp_directory_path(failed) / "portitor-payment-XXXXXX").string();
    if (failed)
        return not_kept(failed.message());
    const int file = ::mkstemp(name.data());
    if (file < 0)
        return not_kept(std::generic_category().message(errno));
    auto written = write_all(file, json::serialize(text) + "\n");
    if (::close(file) != 0 && written)
        written = fail(errc::refused, "{}", std::generic_category().message(errno));
    if (written)
        return name;
    ::unlink(name.c_str());
    return not_kept(written.error().message());
}

result<kept_payment> read_kept_payment(const std::string& file)
{
    const auto text = read_small_file(file);
    if (!text)
        return text.error();
    const auto none = [&] { return fail(errc::invalid, "{} holds no payment that portitor has kept", file); };
    boost::system::error_code failed;
    const json::value read = json::parse(*text, failed);
    if (failed || !read.is_object())
        return none();
    const json::object& from = read.get_object();
    kept_payment out{text_of(from, "url"), text_of(from, "method"), {}};
    const std::string header = text_of(from, "header");
    if (header == x402::x_payment_header)
        out.payment.header = x402::payment_header::x_payment;
    else if (header != x402::payment_signature_header)
        return none();
    out.payment.value = text_of(from, "value");
    const auto payer = evm::address::parse(text_of(from, "payer"));
    const json::value* end = from.if_contains("validBefore");
    const auto until = end ? end->to_number<std::uint32_t>(failed) : 0;
    // It becomes a header as it is.
    if (out.payment.value.size() > x402::max_payment_header || !x402::decode_base64(out.payment.value) ||
        !payer || until == 0)
        return none();
    out.payment.payer = *payer;
    out.payment.valid_before = until;
    return out;
}

}  // namespace portitor::cli::pay
