#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace portitor::cli::sell {

/// How a check came out.
enum class finding_level
{
    ok,
    not_checked,
    warning,
    error,
};

struct finding
{
    finding_level level;
    std::string about;  ///< "price", "path"
    std::string words;
};

/// What was checked before something is written.
class findings
{
public:
    void add(finding_level level, std::string about, std::string words)
    {
        all_.push_back({level, std::move(about), std::move(words)});
    }

    void add(const findings& more) { all_.insert(all_.end(), more.all_.begin(), more.all_.end()); }

    const std::vector<finding>& all() const { return all_; }
    bool has_error() const;

    /// A line each.
    void print(std::ostream& out, bool colour) const;

private:
    std::vector<finding> all_;
};

}  // namespace portitor::cli::sell
