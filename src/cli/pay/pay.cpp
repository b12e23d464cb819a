#include "cli/pay/pay.hpp"

#include "cli/output/text.hpp"
#include "cli/pay/key.hpp"
#include "cli/pay/options.hpp"
#include "cli/pay/payment_run.hpp"
#include "cli/pay/report.hpp"

#include <portitor/core/small_file.hpp>

#include <fstream>
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
        if (auto ready = prepare(); !ready)
            co_return ready.error();
        auto first = co_await ask(*client_, told_.what, known_, config_.only_version);
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
        if (!config_.output_file.empty() && !std::ofstream(config_.output_file, std::ios::app))
            return fail(errc::refused, "--output-file: {} cannot be written", config_.output_file);
        return read_given_key();
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
        const auto chosen = choose(*told_.terms, config_.rules, known_);
        const bool may_pay = !config_.dry_run && (key_ || can_prompt(terminal_));
        if (!chosen)
        {
            told_.why = printable(chosen.error().message(), 4000);
            // Whoever only looks has seen what he wanted to see.
            co_return finish(!may_pay && !config_.dry_run);
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
        const palette colours(terminal_.colour);
        if (as_text())
            tell_end(terminal_.err, told_, colours);
        const auto written = write_body();
        if (!as_text())
            terminal_.out << to_json_text(told_, known_, written ? config_.output_file : std::string());
        if (!written)
            return written.error();
        return good ? 0 : 1;
    }

    result<void> write_body() const
    {
        if (!told_.has_body())
            return {};
        const std::string& body = told_.answer->body();
        if (!config_.output_file.empty())
        {
            std::ofstream file(config_.output_file, std::ios::binary | std::ios::trunc);
            file << body;
            file.close();
            if (!file)
                return fail(errc::refused, "--output-file: {} cannot be written", config_.output_file);
        }
        else if (as_text())
            terminal_.out << (terminal_.out_is_terminal ? printable_body(body) : body) << std::flush;
        return {};
    }

    const roles::process& around_;
    const console& terminal_;
    const pay::options& config_;
    const x402::network_table known_ = x402::network_table::built_in();
    std::unique_ptr<http::client> client_;
    std::optional<evm::private_key> key_;
    report told_;
};

}  // namespace

std::unique_ptr<action> make_pay()
{
    return std::make_unique<run_action<run_of_pay, pay::options>>();
}

}  // namespace portitor::cli
