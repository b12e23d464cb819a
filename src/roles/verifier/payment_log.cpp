#include "roles/verifier/payment_log.hpp"

namespace portitor::verifier {

void payment_log::write(const x402::claim_report& told) const
{
    static const x402::claim_terms unknown_terms;
    const x402::claim_terms& terms = told.terms != nullptr ? *told.terms : unknown_terms;
    const auto line = [&](auto level, const char* message) {
        (log_.*level
        )(message,
          {
              {"route", terms.offer},
              {"payer", told.key.payer()},
              {"amount", to_string(terms.wanted.amount)},
              {"asset", terms.wanted.asset},
              {"network", terms.wanted.network},
              {"nonce", told.key.nonce()},
              {"transaction", told.proof.transaction},
              {"proven", told.proof.proven},
              {"state", told.state},
              {"request_id", terms.request_id},
          });
    };
    using event = x402::claim_report::event;
    switch (told.what)
    {
    case event::delivered:
        return line(&logger::info, "a payment was settled, and its answer delivered");
    case event::undelivered:
        return line(&logger::info, "a payment was settled, and its answer not delivered yet");
    case event::forgotten:
        return line(&logger::warn, "a payment is forgotten without a delivered answer");
    case event::left:
        return line(&logger::warn, "a payment is left without a delivered answer");
    }
}

}  // namespace portitor::verifier
