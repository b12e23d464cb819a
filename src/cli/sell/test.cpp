#include "cli/sell/test.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/answer_verdict.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/status_view.hpp"
#include "offer/naming.hpp"
#include "offer/terms.hpp"

#include <portitor/config/setters.hpp>
#include <portitor/http/client.hpp>

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
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed where = into.under("Where it is asked");
        const auto text = [&](const char* flag, const char* help, std::string& to, const char* placeholder) {
            config::option out{flag, help, "", config::set_text(to)};
            out.placeholder = placeholder;
            where.add(std::move(out));
        };
        text("path", "path below the offer's", path, "PATH");
        text("url", "the gateway, without the offer's path; its public URL where it is left out", url, "URL");
        text("host", "host that is asked for; the URL's, or the offer's own", host, "HOST");
        config::option how{
            "method", "method of the request", "GET", config::set_one_of(method, {"GET", "POST", "HEAD"})};
        how.values = {"GET", "POST", "HEAD"};
        where.add(std::move(how));
        where.add(timeout_option(timeout, "10s"));
        common.declare(into, {"text", "json", "yaml"});
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
        return common.resolve();
    }
};

class test_run
{
public:
    test_run(const roles::process& around, const console& terminal, const test_options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run(common_options& common)
    {
        auto server = co_await common.connect_with_settings(around_, terminal_);
        if (!server)
            co_return server.error();
        const auto found = co_await read_status(**server, common.key(config_.name));
        if (!found)
            co_return found.error();
        const auto spec = api::parse_service_offer(*found->offer);
        if (!spec)
            co_return spec.error().within("ServiceOffer " + common.key(config_.name).to_string());
        auto url = url_of(*found->offer, *spec);
        if (!url)
            co_return url.error();
        auto answer = co_await ask(*url, *spec);
        if (!answer)
            co_return answer.error().within(printable(*url));
        expected_answer expected;
        expected.offer = common.key(config_.name).to_string();
        expected.terms = terms_of(*found, *spec);
        expected.below = config_.path.substr(0, config_.path.find('?'));
        expected.networks = &common.settings.plan().lists.networks.table;
        const answer_verdict said = judge_answer(*answer, expected);
        print(common, *url, answer->result_int(), said);
        co_return said.level == answer_level::good ? 0 : 1;
    }

private:
    result<std::string> url_of(const kube::object& offer, const api::service_offer& spec) const
    {
        if (!config_.url.empty())
            return config_.url + (spec.path == "/" ? "" : spec.path) + config_.path;
        const std::string endpoint = kube::string_at(offer.status(), "endpoint");
        if (!http::parse_url(endpoint))
            return fail(
                errc::invalid,
                "the URL of the offer is not known ({}): say where the gateway is, such as --url "
                "http://10.0.0.7:8000",
                endpoint.empty() ? "it has none yet" : "the operator set no public URL"
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

    asio::awaitable<result<http::response>> ask(std::string url, const api::service_offer& spec)
    {
        const auto where = http::parse_url(url);
        if (!where)
            co_return where.error();
        auto client = http::make_client(around_.executor, {});
        if (!client)
            co_return client.error();
        http::request message(http::verb::get, where->target, 11);
        message.method_string(config_.method);
        message.set(http::field::accept, "application/json");
        message.set(http::field::user_agent, "portitor-sell-test");
        std::string host = config_.host;
        if (host.empty() && !config_.url.empty() && !spec.hostname.empty())
            host = offer::host_of(spec, config_.common.settings.plan());
        if (!host.empty())
            message.set(http::field::host, host);
        http::client_options how;
        how.timeout = config_.timeout;
        how.max_body = 1024 * 1024;
        co_return co_await (*client)->send(where->origin, std::move(message), how);
    }

    void print(
        const common_options& common, const std::string& url, unsigned code, const answer_verdict& said
    ) const
    {
        const char* word = said.level == answer_level::good      ? "good"
                           : said.level == answer_level::warning ? "warning"
                                                                 : "bad";
        if (common.is_data())
            return print_data(
                common,
                terminal_,
                json::object{{"url", url}, {"status", code}, {"verdict", word}, {"message", said.words}}
            );
        const tone how = said.level == answer_level::good      ? tone::good
                         : said.level == answer_level::warning ? tone::warning
                                                               : tone::bad;
        terminal_.out << fmt::format(
                             "{} {} without a payment: HTTP {}\n", config_.method, printable(url), code
                         )
                      << palette(terminal_.colour).paint(how, word) << ": " << said.words << '\n';
    }

    const roles::process& around_;
    const console& terminal_;
    const test_options& config_;
};

class test_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        test_run work(around, terminal, options_);
        co_return co_await work.run(options_.common);
    }

private:
    test_options options_;
};

}  // namespace

std::unique_ptr<action> make_test()
{
    return std::make_unique<test_action>();
}

}  // namespace portitor::cli::sell
