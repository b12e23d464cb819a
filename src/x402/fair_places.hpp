#pragma once

#include <portitor/x402/facilitator.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace portitor::x402 {

/// Places for calls under way. Whoever has some already gets another only while that leaves others theirs:
/// a group may have at most a multiple of what is free just then, so it never takes all, and alone it takes
/// much. One tenant has at most two thirds so, one offer a half, callers whose signature is not proven a
/// quarter together, and one payer a ninth. What is not proven takes none of the places of the payer whom it
/// names, but of those that all such calls in his name have. One strand.
class fair_places
{
public:
    explicit fair_places(std::size_t places) : places_(places) {}

    bool has_one_for(const facilitator_caller& caller) const;
    /// @pre has_one_for(caller)
    void take(const facilitator_caller& caller);
    /// @pre the same caller took one
    void give_back(const facilitator_caller& caller);

    std::size_t taken() const noexcept { return taken_; }

private:
    using payer = std::pair<evm::address, bool>;  // and whether that is proven

    static payer payer_of(const facilitator_caller& caller) { return {caller.payer, caller.proven}; }

    std::size_t places_;
    std::size_t taken_ = 0;
    std::size_t unproven_ = 0;
    // Who has a place, and how many.
    std::unordered_map<std::string, std::size_t> tenants_;
    std::unordered_map<std::string, std::size_t> offers_;
    std::map<payer, std::size_t> payers_;
};

}  // namespace portitor::x402
