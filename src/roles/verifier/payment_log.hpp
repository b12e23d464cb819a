#pragma once

#include <portitor/core/log.hpp>
#include <portitor/x402/payment_engine.hpp>

namespace portitor::verifier {

/// Writes the line by which a buyer's complaint can be judged: one when the answer to a settled payment was
/// delivered, one when it first was not, one for each payment that ends without either, or is left when the
/// process ends. Each costs a settlement, so refused payments write none. No signature and no header is in
/// them.
class payment_log
{
public:
    explicit payment_log(logger log) : log_(std::move(log)) {}

    void write(const x402::payment_report& told) const;

private:
    logger log_;
};

}  // namespace portitor::verifier
