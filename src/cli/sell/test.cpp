#include "cli/sell/test.hpp"

#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/pay/exchange.hpp"
#include "cli/pay/spending_options.hpp"
#include "cli/sell/answer_verdict.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/paid_test.hpp"
#include "cli/sell/status_view.hpp"
#include "cli/sell/why_not_sold.hpp"
#include "offer/naming.hpp"
#include "offer/terms.hpp"

#include <portitor/config/setters.hpp>

#include <boost/json/object.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

struct test_options
{
    std::string name;
    std::string path;
    std::string host;
    std::string url;
    std::string method;
    std::chrono::seconds timeout{10};
    std::string ca_file;
    pay::spending_options spending;
    x402::spending_rules rules;  ///< by resolve()
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed where = into.under("Where it is asked");
        where.add(text_option("path", "path below the offer's", path, "PATH"));
        where.add(
            text_option("url", "the gateway, without the offer's path (default its public URL)", url, "URL")
        );
        where.add(text_option(
            "host", "host that is asked for (default the offer's own, or the first public one)", host, "HOST"
        ));
        config::option how{
            "method", "method of the request", "GET", config::set_one_of(method, {"GET", "POST", "HEAD"})};
        how.values = {"GET", "POST", "HEAD"};
        where.add(std::move(how));
        where.add(timeout_option(timeout, "10s"));
        where.add(pay::ca_file_option(ca_file));
        spending.declare(
            into.under("Payment"),
            "pays once, where the answer is good, with the private key in a file that only you can read, or "
            "on standard input (-)"
        );
        common.declare(into);
    }

    result<void> resolve()
    {
        if (!path.empty() && !path.starts_with('/'))
            return fail(errc::invalid, "--path: \"{}\" must start with \"/\"", printable(path, 200));
        if (!url.empty() && !http::parse_url(url))
            return fail(
                errc::invalid,
                "--url: \"{}\" is no URL of a gateway, such as http://10.0.0.7:8000",
                printable(url, 200)
            );
        while (url.ends_with('/'))
            url.pop_back();
        auto limits = spending.rules();
        if (!limits)
            return limits.error();
        rules = std::move(*limits);
        return common.resolve();
    }
};

class test_run
{
public:
    test_run(const roles::process& around, const console& terminal, test_options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        common_options& common = config_.common;
        // All that may fail by itself fails before anything is asked or paid.
        auto key = key_to_pay_with(config_.spending.key_file, terminal_);
        if (!key && key.error().code() == errc::canceled)
            co_return key.error();
        if (!key)
            co_return refuse_usage(terminal_.err, key.error());
        auto client = pay::make_buyer_client(around_, config_.ca_file);
        if (!client)
            co_return refuse_usage(terminal_.err, client.error());
        auto server = co_await common.connect_with_settings(around_, terminal_);
        if (!server)
            co_return server.error();
        const auto found = co_await read_status(**server, common.key(config_.name));
        if (!found)
            co_return found.error();
        const auto spec = api::parse_service_offer(*found->offer);
        if (!spec)
            co_return spec.error().within("ServiceOffer " + common.key(config_.name).to_string());
        auto what = wish_of(*found->offer, *spec);
        if (!what)
            co_return what.error();
        auto first = co_await pay::ask(**client, around_.stop, *what, known_);
        if (!first)
            co_return not_asked(first.error(), what->url);
        expected_answer expected;
        expected.offer = common.key(config_.name).to_string();
        expected.terms = terms_of(*found, *spec);
        expected.below = config_.path.substr(0, config_.path.find('?'));
        expected.why_not_sold = why_not_sold(*found->offer, around_.clock.now());
        expected.networks = &common.settings.plan().lists.networks.table;
        const unsigned status = first->answer.result_int();
        const answer_verdict said = judge_answer(first->answer, expected);
        json::object data = tell_unpaid(*what, status, said);
        bool good = said.level == answer_level::good;
        if (*key)
        {
            paid_test paid(around_, terminal_, common.is_data());
            auto ended = co_await paid.run(
                **client, std::move(**key), std::move(*what), std::move(*first), good, expected, config_.rules
            );
            if (!ended)
                co_return ended.error();
            good = *ended;
            data["payment"] = paid.data();
        }
        if (common.is_data())
            print_data(common, terminal_, data);
        co_return good ? 0 : 1;
    }

private:
    /// What the public URL leads to may be nowhere to be reached from here.
    error not_asked(const error& why, const std::string& url) const
    {
        if (!config_.url.empty() || why.code() == errc::canceled)
            return why.within(printable(url));
        return fail(
            why.code(),
            "{}: {}; where the gateway has another address for you, name it: --url http://10.0.0.7:8000",
            printable(url),
            why.message()
        );
    }

    result<std::string> url_of(const kube::object& offer, const api::service_offer& spec) const
    {
        if (!config_.url.empty())
            return config_.url + (spec.path == "/" ? "" : spec.path) + config_.path;
        const std::string endpoint = kube::string_at(offer.status(), "endpoint");
        const std::string where = "say where the gateway is, such as --url http://10.0.0.7:8000";
        const std::string why = why_not_sold(offer, around_.clock.now());
        if (endpoint.empty())
            return fail(
                errc::invalid,
                "ServiceOffer {} has no URL to ask: {}",
                printable(offer.meta.key().to_string(), 320),
                why.empty() ? where : why
            );
        if (!http::parse_url(endpoint))
            return fail(
                errc::invalid,
                "the offer is at {}, and the operator set no public URL: {}",
                printable(endpoint, 200),
                where
            );
        return endpoint + config_.path;
    }

    /// What the verifier sells by; what the offer says where that cannot be read.
    std::optional<api::payment_route> terms_of(const status_view& found, const api::service_offer& spec) const
    {
        if (found.route)
        {
            auto read = api::parse_payment_route(*found.route);
            if (read)
                return std::move(*read);
        }
        api::payment_route out;
        if (offer::fill_terms(spec, config_.common.settings.plan(), out))
            return std::nullopt;
        return out;
    }

    result<pay::wish> wish_of(const kube::object& offer, const api::service_offer& spec) const
    {
        const auto url = url_of(offer, spec);
        if (!url)
            return url.error();
        auto out = pay::wish_for(*url);
        if (!out)
            return out.error();
        out->method = config_.method;
        out->timeout = config_.timeout;
        out->headers = {{"Accept", "application/json"}, {"User-Agent", "portitor-sell-test"}};
        // The gateway of another address knows the offer by its own host, or a public one.
        std::string host = config_.host;
        if (host.empty() && !config_.url.empty())
            host = offer::host_of(spec, config_.common.settings.plan());
        const auto published = http::parse_url(kube::string_at(offer.status(), "endpoint"));
        if (host.empty() && !config_.url.empty() && published)
            host = published->origin.authority();
        if (!host.empty())
            out->headers.emplace_back("Host", host);
        return out;
    }

    /// Tells people at once; the same for programs.
    json::object tell_unpaid(const pay::wish& what, unsigned status, const answer_verdict& said) const
    {
        const bool good = said.level == answer_level::good;
        const bool warns = said.level == answer_level::warning;
        const char* word = good ? "good" : warns ? "warning" : "bad";
        const tone how = good ? tone::good : warns ? tone::warning : tone::bad;
        const palette colours(terminal_.colour);
        if (!config_.common.is_data())
            terminal_.out
                << colours.paint(tone::dim, "settings: " + printable(config_.common.settings_source(), 500))
                << '\n'
                << fmt::format("{} {} without a payment: HTTP {}\n", what.method, printable(what.url), status)
                << colours.paint(how, word) << ": " << said.words << std::endl;
        return {
            {"url", what.url},
            {"status", status},
            {"verdict", word},
            {"message", said.words},
            {"settings", config_.common.settings_source()}};
    }

    const roles::process& around_;
    const console& terminal_;
    test_options& config_;
    const x402::network_table known_ = x402::network_table::built_in();
};

}  // namespace

std::unique_ptr<action> make_test()
{
    return std::make_unique<run_action<test_run, test_options>>();
}

}  // namespace portitor::cli::sell
