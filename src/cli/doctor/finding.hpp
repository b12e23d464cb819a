#pragma once

#include <portitor/kube/api_error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli::doctor {

/// What came of one check.
enum class verdict
{
    ok,
    info,         ///< worth knowing; nothing is wrong
    warning,      ///< it works, and is unsafe, slow, or about to break
    failure,      ///< something is not sold, not paid for, or not as it is meant
    not_checked,  ///< it could not be looked at, for want of a right, a setting or an answer
};

inline constexpr std::size_t verdict_count = 5;

/// "ok", "info", "warning", "failure", "not checked".
const char* to_string(verdict value) noexcept;

/// One line of the report. All its texts may be printed.
struct finding
{
    std::string area;   ///< "gateway"
    std::string check;  ///< what was looked at: "Gateway traefik/traefik-gateway"
    verdict how = verdict::ok;
    std::string words;   ///< what was found
    std::string advice;  ///< what to do; empty where there is nothing to do
};

/// Where an area writes down what it finds; what is in it stays, whatever becomes of the area. What others
/// wrote is made printable here.
class notebook
{
public:
    explicit notebook(std::string_view area) : area_(area) {}

    void ok(std::string_view check, std::string_view words) { add(check, verdict::ok, words, {}); }
    void info(std::string_view check, std::string_view words, std::string_view advice = {})
    {
        add(check, verdict::info, words, advice);
    }
    void warn(std::string_view check, std::string_view words, std::string_view advice)
    {
        add(check, verdict::warning, words, advice);
    }
    void failure(std::string_view check, std::string_view words, std::string_view advice)
    {
        add(check, verdict::failure, words, advice);
    }
    void not_checked(std::string_view check, std::string_view words, std::string_view advice = {})
    {
        add(check, verdict::not_checked, words, advice);
    }
    /// The API server did not show something; `right` is the one that it takes: "list gateways".
    void unseen(std::string_view check, const kube::api_error& why, std::string_view right);

    void add(std::string_view check, verdict how, std::string_view words, std::string_view advice);

    /// Takes over what was written down elsewhere.
    void take(const notebook& other);

    const std::string& area() const { return area_; }
    const std::vector<finding>& findings() const { return findings_; }

private:
    std::string area_;
    std::vector<finding> findings_;
};

/// "a", "a, b", "a, b, c and 4 more": `most` of them by name.
std::string some_of(const std::vector<std::string>& names, std::size_t most = 3);

}  // namespace portitor::cli::doctor
