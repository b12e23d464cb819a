#include "catch.hpp"

#include <portitor/x402/settlement_rules.hpp>

#include <boost/json/object.hpp>

#include <map>

using namespace portitor;
using namespace portitor::x402;

namespace {

using said = settle_word;
using shown = chain_word;

constexpr said every_word[] = {
    said::settled,
    said::refused,
    said::nonce_used,
    said::being_settled,
    said::failed,
    said::doubt,
    said::not_sent,
};

constexpr shown every_chain[] = {
    shown::nobody,
    shown::silent,
    shown::ours,
    shown::elsewhere,
    shown::ended,
    shown::dead,
    shown::open,
};

settle_history none()
{
    return {};
}

settle_history doubtful()
{
    settle_history out;
    out.add(settle_unknown());
    return out;
}

settle_unknown failed_transaction(std::string hash)
{
    settle_unknown out;
    out.transaction = std::move(hash);
    out.failed = true;
    return out;
}

settle_history after_failure()
{
    settle_history out;
    out.add(failed_transaction("0xf"));
    return out;
}

// Two settlements under way: the one in doubt was first, and made the other one fail.
settle_history second_failed()
{
    settle_history out = doubtful();
    out.add(failed_transaction("0xf"));
    return out;
}

settlement_finding settled_by(std::string transaction, std::optional<std::uint64_t> mined_at = {})
{
    settlement_finding out;
    out.state = settlement_state::settled;
    out.transaction = std::move(transaction);
    out.mined_at = mined_at;
    return out;
}

}  // namespace

TEST_CASE("the first settlement of a payment", "[x402][rules]")
{
    const std::map<said, ruling> clear{
        {said::settled, ruling::grant},
        {said::refused, ruling::refuse},
        {said::nonce_used, ruling::elsewhere},
        {said::being_settled, ruling::elsewhere},
        {said::not_sent, ruling::not_taken},
    };
    for (const auto& [word, ruled] : clear)
        for (const shown chain : every_chain)
            for (const bool expired : {false, true})
                CHECK(rule(word, none(), chain, expired) == ruled);
    for (const said word : {said::doubt, said::failed})
        for (const bool expired : {false, true})
        {
            CHECK(rule(word, none(), shown::silent, expired) == ruling::unknown);
            CHECK(rule(word, none(), shown::open, expired) == ruling::unknown);
        }
}

TEST_CASE("after doubt the chain has the last word", "[x402][rules]")
{
    const std::map<shown, ruling> table{
        {shown::ours, ruling::grant},
        {shown::elsewhere, ruling::elsewhere},
        {shown::ended, ruling::withdrawn},
        {shown::dead, ruling::dead},
    };
    for (const auto& [chain, ruled] : table)
    {
        CHECK(rule_of_chain(chain) == ruled);
        for (const settle_history& before : {doubtful(), after_failure()})
            for (const said word : every_word)
                for (const bool expired : {false, true})
                    CHECK(
                        rule(word, before, chain, expired) == (word == said::settled ? ruling::grant : ruled)
                    );
        for (const said word : {said::doubt, said::failed})
            CHECK(rule(word, none(), chain, false) == ruled);
    }
    CHECK_FALSE(rule_of_chain(shown::open));
    CHECK_FALSE(rule_of_chain(shown::silent));
}

TEST_CASE("after doubt a used nonce is the grant where nobody can tell more", "[x402][rules]")
{
    for (const bool expired : {false, true})
    {
        CHECK(rule(said::nonce_used, doubtful(), shown::nobody, expired) == ruling::grant_unproven);
        // Our own transaction failed: another one used it.
        CHECK(rule(said::nonce_used, after_failure(), shown::nobody, expired) == ruling::failed);
        // Unless that was ours too.
        CHECK(rule(said::nonce_used, second_failed(), shown::nobody, expired) == ruling::grant_unproven);
        // A node that is there has the last word, once it speaks: its payer may have cancelled.
        CHECK(rule(said::nonce_used, doubtful(), shown::silent, expired) == ruling::unknown);
        CHECK(rule(said::nonce_used, after_failure(), shown::silent, expired) == ruling::unknown);
        // The node lags behind, or it is about to be mined.
        CHECK(rule(said::nonce_used, doubtful(), shown::open, expired) == ruling::unknown);
        CHECK(rule(said::nonce_used, after_failure(), shown::open, expired) == ruling::unknown);
        // It says that it began, not how that ended.
        CHECK(rule(said::being_settled, doubtful(), shown::silent, expired) == ruling::unknown);
    }
}

TEST_CASE("after doubt no refusal frees a payment", "[x402][rules]")
{
    for (const settle_history& before : {doubtful(), after_failure()})
        for (const shown chain : {shown::nobody, shown::silent, shown::open})
        {
            CHECK(rule(said::refused, before, chain, false) == ruling::unknown);
            CHECK(rule(said::refused, before, chain, true) == ruling::expired);
            for (const said word : {said::doubt, said::failed, said::not_sent})
                for (const bool expired : {false, true})
                    CHECK(rule(word, before, chain, expired) == ruling::unknown);
        }
}

TEST_CASE("never a grant without a settlement of ours, never asked to pay again after doubt", "[x402][rules]")
{
    for (const settle_history& before : {none(), doubtful(), after_failure()})
        for (const said word : every_word)
            for (const shown chain : every_chain)
                for (const bool expired : {false, true})
                {
                    const ruling ruled = rule(word, before, chain, expired);
                    INFO(static_cast<int>(word) << " " << static_cast<int>(chain));
                    if (ruled == ruling::grant)
                        CHECK((word == said::settled || chain == shown::ours));
                    if (ruled == ruling::grant_unproven)
                        CHECK(
                            (word == said::nonce_used && chain == shown::nobody && before.doubt &&
                             !before.failed)
                        );
                    if (ruled == ruling::refuse || ruled == ruling::not_taken)
                        CHECK_FALSE(before.doubt);
                    if (ruled == ruling::dead)
                        CHECK(chain == shown::dead);
                }
}

TEST_CASE("what an answer says about the money", "[x402][rules]")
{
    CHECK(word_of(settle_settled("0x1", boost::json::object())) == said::settled);
    CHECK(word_of(settle_not_sent(error(errc::unavailable, "away"))) == said::not_sent);
    CHECK(word_of(settle_unknown()) == said::doubt);
    CHECK(word_of(failed_transaction("0x1")) == said::failed);
    const std::pair<const char*, said> codes[] = {
        {"insufficient_funds", said::refused},
        {"invalid_exact_evm_transaction_simulation_failed", said::refused},
        {"permit2_deadline_expired", said::refused},
        {"invalid_exact_evm_nonce_already_used", said::nonce_used},
        {"permit2_invalid_nonce", said::nonce_used},
        {"duplicate_settlement", said::being_settled},
        {"internal_error", said::doubt},
        {"settle_exact_node_failure", said::doubt},
        {"unknown_error", said::doubt},
        {"unexpected_settle_error", said::doubt},
        {"unexpected_verify_error", said::doubt},
        {"settlement_pending", said::doubt},
        {"invalid_exact_evm_transaction_failed", said::doubt},
        {"", said::doubt},
    };
    for (const auto& [code, word] : codes)
    {
        INFO(code);
        CHECK(word_of(settle_refused(code)) == word);
    }
}

TEST_CASE("a history keeps what matters later", "[x402][rules]")
{
    settle_history history;
    history.add(settle_not_sent(error(errc::unavailable, "away")));
    CHECK_FALSE(history.doubt);
    history.add(settle_refused("insufficient_funds"));
    CHECK(history.doubt);
    CHECK_FALSE(history.failed);
    history.add(failed_transaction("0x1"));
    CHECK(history.failed);
    CHECK_FALSE(history.maybe_settled());
    history.add(settle_refused("invalid_exact_evm_nonce_already_used"));
    CHECK_FALSE(history.maybe_settled());
    history.add(settle_unknown());
    CHECK(history.maybe_settled());
    history.add(failed_transaction("0x2"));
    CHECK(history.maybe_settled());
    CHECK_FALSE(history.doubt_before_failure);
    for (int i = 3; i < 9; ++i)
        history.add(failed_transaction("0x" + std::to_string(i)));
    history.add(failed_transaction("0x6"));
    CHECK(history.told == std::vector<std::string>{"0x5", "0x7", "0x8", "0x6"});
}

TEST_CASE("a failure ends the doubt about its own transaction only", "[x402][rules]")
{
    settle_unknown pending;
    pending.transaction = "0x1";
    settle_history one;
    one.add(pending);
    CHECK(one.maybe_settled());
    settle_history other = one;
    one.add(failed_transaction("0x1"));
    CHECK_FALSE(one.maybe_settled());
    CHECK_FALSE(one.doubt_before_failure);
    other.add(failed_transaction("0x2"));
    CHECK(other.maybe_settled());
    CHECK(other.doubt_before_failure);

    // More than are kept: they are in doubt all the same.
    settle_history many;
    for (int i = 0; i < 9; ++i)
    {
        pending.transaction = "0x" + std::to_string(i);
        many.add(pending);
    }
    for (int i = 0; i < 9; ++i)
        many.add(failed_transaction("0x" + std::to_string(i)));
    CHECK(many.maybe_settled());
    CHECK(many.told.size() == 4);
}

TEST_CASE("whose settlement it was that the chain shows", "[x402][rules]")
{
    constexpr std::uint64_t began = 1'000'000;
    CHECK(word_of(settled_by("0x1"), doubtful(), began) == shown::ours);
    CHECK(word_of(settled_by("0x1", began + 10), doubtful(), began) == shown::ours);
    CHECK(word_of(settled_by("0x1", began - 60), doubtful(), began) == shown::ours);
    // Before this payment came here.
    CHECK(word_of(settled_by("0x1", began - 61), doubtful(), began) == shown::elsewhere);
    CHECK(word_of(settled_by("0x1", 0), doubtful(), 30) == shown::ours);
    // The one that failed is not the one that settled, unless a later one was in doubt again.
    CHECK(word_of(settled_by("0x1", began), after_failure(), began) == shown::elsewhere);
    CHECK(word_of(settled_by("0xf", began), after_failure(), began) == shown::ours);
    CHECK(word_of(settled_by("0x1", began), second_failed(), began) == shown::ours);
    settle_history later = after_failure();
    later.add(settle_unknown());
    CHECK(word_of(settled_by("0x1", began), later, began) == shown::ours);

    const std::pair<settlement_state, shown> others[] = {
        {settlement_state::canceled, shown::ended},
        {settlement_state::used_otherwise, shown::ended},
        {settlement_state::dead, shown::dead},
        {settlement_state::open, shown::open},
        {settlement_state::cannot_tell, shown::silent},
    };
    for (const auto& [state, word] : others)
    {
        settlement_finding found;
        found.state = state;
        CHECK(word_of(found, doubtful(), began) == word);
    }
}

TEST_CASE("what lacks confirmations is open, unless the facilitator vouches for it", "[x402][rules]")
{
    settlement_finding found = settled_by("0x1");
    found.lacking = 2;
    CHECK(word_of(found, doubtful(), 1'000) == shown::open);
    CHECK(word_of(found, doubtful(), 1'000, finality::vouched) == shown::ours);
    found.mined_at = 100;
    CHECK(word_of(found, doubtful(), 1'000, finality::vouched) == shown::elsewhere);
    for (const auto state : {settlement_state::canceled, settlement_state::used_otherwise})
    {
        found.state = state;
        CHECK(word_of(found, doubtful(), 1'000) == shown::open);
        CHECK(word_of(found, doubtful(), 1'000, finality::vouched) == shown::ended);
    }
    found.lacking = 0;
    found.state = settlement_state::used_before;
    CHECK(word_of(found, doubtful(), 1'000) == shown::elsewhere);
}
