#include "cli/pay/pay.hpp"

#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/pay/body_file.hpp"
#include "cli/pay/ends_at_once.hpp"
#include "cli/pay/exchange.hpp"
#include "cli/pay/key.hpp"
#include "cli/pay/options.hpp"
#include "cli/pay/paying.hpp"
#include "cli/pay/unpaid.hpp"
#include "cli/yaml.hpp"

#include <portitor/core/small_file.hpp>

#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
using namespace pay;

/// One run of the command.
class run_of_pay
{
public:
    run_of_pay(const roles::process& around, const console& terminal, const pay::options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        told_.what = config_.what;
        if (const auto ready = prepare(); !ready)
            co_return refuse_usage(terminal_.err, ready.error());
        if (kept_)
        {
            warn_of_clear(terminal_.err, told_.what);
            co_await pay_again(around_, *client_, kept_->payment, config_.payment_file, told_);
            co_return finish(told_.how == ending::served);
        }
        auto first = co_await ask(*client_, around_.stop, told_.what, known_, config_.only_version);
        if (!first)
            co_return first.error().within(told_.what.where.origin.to_string());
        told_.how = first->how;
        told_.why = std::move(first->why);
        told_.terms = std::move(first->terms);
        told_.answer = std::move(first->answer);
        if (told_.how != ending::terms)
            co_return finish(told_.how == ending::free);
        auto ended = co_await meet_terms();
        co_return ended;
    }

private:
    bool as_text() const { return config_.output == "text"; }

    /// All that may fail fails before anything is asked or paid.
    result<void> prepare()
    {
        const ends_at_once while_nobody_writes;
        if (config_.data.starts_with('@'))
        {
            auto body = read_small_file(config_.data.substr(1));
            if (!body)
                return body.error().within("--data");
            told_.what.body = std::move(*body);
        }
        else
            told_.what.body = config_.data;
        auto client = make_buyer_client(around_, config_.ca_file);
        if (!client)
            return client.error();
        client_ = std::move(*client);
        const auto given = config_.payment_file.empty() ? read_given_key() : read_given_payment();
        if (!given || config_.output_file.empty())
            return given;
        // The last: nothing would take away what it has made, if a signal ended the process here.
        auto file = body_file::open(config_.output_file);
        if (!file)
            return file.error().within("--output-file");
        file_.emplace(std::move(*file));
        return {};
    }

    result<void> read_given_payment()
    {
        auto kept = read_kept_payment(config_.payment_file);
        if (!kept)
            return kept.error().within("--payment-file");
        // Another server, or another request, has no claim to it.
        if (kept->url != told_.what.url || kept->method != told_.what.method)
            return fail(
                errc::refused,
                "--payment-file: the payment in {} was made for {} {}",
                config_.payment_file,
                kept->method,
                kept->url
            );
        kept_.emplace(std::move(*kept));
        return {};
    }

    result<void> read_given_key()
    {
        const std::string& file = config_.spending.key_file;
        if (file.empty() || (file == "-" && can_prompt(terminal_)))
            return {};
        auto key = read_key(file, terminal_.in);
        if (!key)
            return key.error();
        key_.emplace(std::move(*key));
        return {};
    }

    asio::awaitable<result<int>> meet_terms()
    {
        if (as_text())
            tell_terms(terminal_.err, told_, known_);
        x402::spending_rules rules = config_.rules;
        rules.in_clear = is_in_clear(told_.what);
        const auto chosen = choose(*told_.terms, rules, known_);
        const bool may_pay = !config_.dry_run && (key_ || can_prompt(terminal_));
        if (!chosen)
        {
            told_.why = printable(chosen.error().message(), 4000);
            // Whoever only looks has seen what he wanted to see.
            co_return finish(!may_pay && !config_.dry_run && !told_.terms->options.empty());
        }
        told_.chosen = *chosen;
        if (may_pay && !key_)
        {
            say("it would pay " + in_words(**chosen, told_.what, known_));
            auto typed = prompt_for_key(terminal_);
            if (!typed && typed.error().code() != errc::canceled)
                co_return typed.error();
            if (typed)
                key_.emplace(std::move(*typed));
        }
        if (config_.dry_run || !key_ || around_.stop.requested())
        {
            say("nothing was paid; it would be " + in_words(**chosen, told_.what, known_));
            co_return finish(true);
        }
        auto ended = co_await pay_now();
        co_return ended;
    }

    asio::awaitable<result<int>> pay_now()
    {
        const std::string what = in_words(*told_.chosen, told_.what, known_);
        evm::private_key key = std::move(*key_);
        key_.reset();
        warn_of_clear(terminal_.err, told_.what);
        auto paid =
            co_await pay_chosen(around_, *client_, std::move(key), told_, [&](const std::string& payer) {
                say(fmt::format("paying {} from {}", what, payer));
            });
        if (!paid)
            co_return paid.error();
        co_return finish(told_.how == ending::served);
    }

    /// For people who read along.
    void say(const std::string& line) const
    {
        if (as_text())
            terminal_.err << line << std::endl;
    }

    result<int> finish(bool good)
    {
        if (as_text())
            tell_end(terminal_.err, told_, palette(terminal_.colour));
        const bool in_file = told_.has_body() && file_ && write_file();
        const ends_at_once while_nobody_reads;
        const std::string file = in_file ? config_.output_file : std::string();
        if (config_.output == "yaml")
            terminal_.out << to_yaml(to_json(told_, known_, file));
        else if (config_.output == "json")
            terminal_.out << to_json_text(told_, known_, file);
        else if (told_.has_body() && !in_file)
        {
            const std::string& body = told_.answer->body();
            terminal_.out << (terminal_.out_is_terminal ? printable_body(body) : body);
        }
        terminal_.out << std::flush;
        return good && in_file == (told_.has_body() && file_) ? 0 : 1;
    }

    /// What has been paid for is not lost with the file.
    bool write_file()
    {
        const auto written = file_->write(told_.answer->body());
        if (!written)
            complain(
                terminal_.err,
                fail(
                    errc::refused,
                    "--output-file: {}; the body goes to standard output",
                    written.error().message()
                )
            );
        return written.has_value();
    }

    const roles::process& around_;
    const console& terminal_;
    const pay::options& config_;
    const x402::network_table known_ = x402::network_table::built_in();
    std::unique_ptr<http::client> client_;
    std::optional<body_file> file_;
    std::optional<evm::private_key> key_;
    std::optional<kept_payment> kept_;
    report told_;
};

}  // namespace

std::unique_ptr<action> make_pay()
{
    return std::make_unique<run_action<run_of_pay, pay::options>>();
}

}  // namespace portitor::cli
