#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portitor::verifier {

/// Whose pages may read our answers, where the operator opted in (Fetch standard, section 3.2).
class cors_policy
{
public:
    /// "*", or origins separated by spaces; empty: CORS is not our affair.
    explicit cors_policy(std::string_view origins);

    bool enabled() const { return any_ || !origins_.empty(); }

    /// What Access-Control-Allow-Origin says to this origin: ours in writing, never the request's. Empty: not
    /// allowed.
    std::string_view allowed(std::string_view origin) const;

private:
    bool any_ = false;
    std::vector<std::string> origins_;
};

}  // namespace portitor::verifier
