#pragma once

#include <portitor/core/metrics.hpp>
#include <portitor/x402/claims.hpp>
#include <portitor/x402/gate.hpp>
#include <portitor/x402/guarded_facilitator.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <string>

namespace portitor::verifier {

/// Carries the numbers of the gate's strand to where any thread may read them.
class gate_metrics
{
public:
    /// `names` has the operator's names of facilitators by URL. All of them must outlive this.
    gate_metrics(
        metrics& numbers,
        const x402::gate& gate,
        const x402::claim_table& claims,
        const x402::guarded_facilitator& facilitators,
        std::map<std::string, std::string> names
    );

    /// On the gate's strand.
    void publish();

    /// publish(), again and again. On the gate's strand.
    boost::asio::awaitable<void> keep_publishing();

private:
    void count(const char* event, std::uint64_t value);
    std::size_t fill_percent() const;
    void publish_facilitators();
    void publish_trouble(const x402::facilitator_state& of, const std::string& name);

    metrics& numbers_;
    const x402::gate& gate_;
    const x402::claim_table& claims_;
    const x402::guarded_facilitator& facilitators_;
    std::map<std::string, std::string> names_;
};

}  // namespace portitor::verifier
