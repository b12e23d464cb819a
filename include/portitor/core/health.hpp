#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace portitor {

/// Named checks of a process: is it of any use, and may traffic come? One strand.
class health
{
public:
    /// What the checks of one kind come to.
    struct report
    {
        bool good = true;
        std::string text;  ///< a line for each check, the warnings too
    };

    /// Empty when all is well, else the reason in a few words.
    using check = std::function<std::optional<std::string>()>;

    void add_liveness(std::string name, check of) { liveness_[std::move(name)] = std::move(of); }
    void add_readiness(std::string name, check of) { readiness_[std::move(name)] = std::move(of); }
    /// What people should know and no restart would help: told, and never a reason to fail.
    void add_warning(std::string name, check of) { warnings_[std::move(name)] = std::move(of); }
    /// Forgets the checks of that name.
    void remove(const std::string& name)
    {
        liveness_.erase(name);
        readiness_.erase(name);
        warnings_.erase(name);
    }

    report liveness() const { return evaluate(liveness_); }
    report readiness() const { return evaluate(readiness_); }

private:
    using checks = std::map<std::string, check>;

    report evaluate(const checks& all) const;

    checks liveness_;
    checks readiness_;
    checks warnings_;
};

}  // namespace portitor
