#pragma once

#include "route/outcome.hpp"
#include "route/route_table.hpp"

#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/payment_engine.hpp>
#include <portitor/x402/signature_judge.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>

namespace portitor::verifier {

/// A payment that was brought for a path. Everything is its own: it outlasts the request that brought it.
struct sale
{
    route::entry_ptr entry;
    const route::terms* price = nullptr;  ///< of the entry's route, for the path
    std::string resource;                 ///< URL of what is bought, as the requirement names it
    x402::payment offered;
    std::string method;
    std::string uri;  ///< escaped path and query, as the buyer sent them
    std::string request_id;
};

/// What a sale came to.
struct sale_outcome
{
    x402::verdict said;
    route::outcome refused_as = route::outcome::not_paid;  ///< where another payment is to be asked for
};

/// Route, price and payment come in, a verdict goes out; nothing here knows who asks or how it is answered.
/// Payments are judged on one strand, so that each is settled once whichever thread its copies arrive at.
class till
{
public:
    struct parts
    {
        boost::asio::any_io_executor strand;  ///< of the engine
        x402::payment_engine& engine;
        const x402::signature_judge& signatures;
        const x402::network_table& networks;
        const timekeeper& timers;  ///< of any thread
    };

    /// All that is referred to must outlive this.
    explicit till(parts with) : with_(std::move(with)) {}

    /// What can be bought with `text`; errc::invalid where it is no payment. Any thread.
    result<x402::payment> decode(x402::payment_header header, std::string_view text) const
    {
        return x402::decode_payment(header, text, with_.networks);
    }

    /// The verdict, whatever the terms are by now: a payment on record is followed, and its buyer not asked
    /// to pay again. A signature that cannot be its payer's ends here, before the record and the facilitator.
    /// Any thread; the sale must live until then, and a cancellation of the caller does not bring that
    /// forward. All within 20 s. Takes everything out of the sale but entry, price and resource.
    boost::asio::awaitable<sale_outcome> sell(sale& what) const;

private:
    boost::asio::awaitable<x402::verdict> pay(x402::payment_request asked) const;

    parts with_;
};

}  // namespace portitor::verifier
