#include "roles/verifier/payment_log.hpp"

namespace portitor::verifier {

void payment_log::write(const x402::payment_report& told) const
{
    static const x402::payment_terms unknown_terms;
    const x402::payment_record& record = told.record;
    const x402::payment_terms& terms = record.terms != nullptr ? *record.terms : unknown_terms;
    const auto line = [&](auto level, const char* message) {
        (log_.*level
        )(message,
          {
              {"route", terms.offer},
              {"method", terms.method},
              {"uri", terms.uri},
              {"payer", record.key.payer()},
              {"amount", to_string(terms.wanted.amount)},
              {"asset", terms.wanted.asset},
              {"network", record.key.network()},
              {"nonce", record.key.nonce()},
              {"transaction", record.proof.transaction},
              {"proven", record.proof.proven},
              {"state", x402::to_string(record.state)},
              {"request_id", terms.request_id},
          });
    };
    using event = x402::payment_report::event;
    switch (told.what)
    {
    case event::delivered:
        return line(&logger::info, "a payment was settled, and its answer delivered");
    case event::undelivered:
        return line(&logger::info, "a payment was settled, and its answer not delivered yet");
    case event::interrupted:
        return line(&logger::warn, "a verifier ended while it wrote the answer to a settled payment");
    case event::expired:
        return line(&logger::warn, "a payment's time is over, and nobody can tell what became of it");
    case event::reorganised:
        return line(&logger::warn, "a reorganisation of the chain took a settlement back");
    case event::left:
        return line(&logger::warn, "a payment is left without a delivered answer");
    }
}

}  // namespace portitor::verifier
