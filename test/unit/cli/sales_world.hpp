#pragma once

#include "../ledger/stores.hpp"
#include "command_world.hpp"
#include "files.hpp"

namespace portitor::cli::samples {

inline const std::string usdc = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
inline const std::string ann = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
inline const std::string bob = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";

/// `portitor sales` beside the verifier that writes the book, which is PORTITOR_LEDGER's.
struct sales_world : command_world
{
    /// What is bought, and how far it came.
    struct purchase
    {
        std::string time;
        std::string payer = ann;
        std::string offer = "shop/tea";
        std::string amount = "1000";
        x402::payment_state state = x402::payment_state::delivered;
        std::string asset = usdc;
        std::string uri = "/services/tea/green?cup=2&token=s3cret";
        std::string request_id = "r-1";
        bool proven = true;
        bool reorganised = false;
        bool interrupted = false;
    };

    sales_world() : variable("PORTITOR_LEDGER", book.settings.file), writer(book.open()) {}

    /// Puts it on record, as the verifier does; returns its transaction.
    std::string buy(const purchase& what)
    {
        using namespace ledger::test;
        using x402::payment_state;
        ++count;
        book.wall.time = from_rfc3339(what.time);
        x402::new_payment made = offer_of(count, book.wall.seconds() + 300, 1, what.offer);
        made.key = x402::payment_key("eip155:84532", what.asset, what.payer, hex_word(count));
        auto terms = std::make_shared<x402::payment_terms>(*made.terms);
        terms->wanted.asset = what.asset;
        terms->wanted.amount = parse_u256(what.amount).value();
        terms->uri = what.uri;
        terms->request_id = what.request_id;
        terms->facilitator_url = "https://facilitator.test/?apikey=s3cret";
        made.terms = std::move(terms);
        x402::payment_record now = std::get<x402::record_made>(writer.begin(std::move(made)).value()).record;
        now = writer.change(now, ours(payment_state::settling));
        if (what.state == payment_state::unknown || what.state == payment_state::expired)
        {
            writer.change(now, rest(what.state));
            return "";
        }
        if (what.state == payment_state::closed)
        {
            x402::payment_change end = rest(what.state);
            end.cause = x402::used_cause::withdrawn;
            writer.change(now, end);
            return "";
        }
        const std::string transaction = hex_word(0xabc000 + count);
        x402::payment_change settled = paid();
        settled.proof = x402::payment_proof{transaction, what.proven};
        now = writer.change(now, settled);
        x402::payment_change last =
            what.state == payment_state::settled ? rest(what.state) : known(payment_state::delivered);
        last.reorganised = what.reorganised;
        last.interrupted = what.interrupted;
        writer.change(now, last);
        return transaction;
    }

    ledger::test::sqlite_world book;
    test::environment_variable variable;
    ledger::test::hand writer;
    std::uint64_t count = 0;
};

}  // namespace portitor::cli::samples
