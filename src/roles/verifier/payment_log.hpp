#pragma once

#include <portitor/core/log.hpp>
#include <portitor/x402/claims.hpp>

namespace portitor::verifier {

/// Writes the line by which a buyer's complaint can be judged: one when the answer to a settled payment was
/// delivered, one when it first was not, one for each payment without a known or delivered end that is
/// forgotten or left when the process ends. Each costs a settlement, so refused payments write none. No
/// signature and no header is in them.
class payment_log
{
public:
    explicit payment_log(logger log) : log_(std::move(log)) {}

    void write(const x402::claim_report& told) const;

private:
    logger log_;
};

}  // namespace portitor::verifier
