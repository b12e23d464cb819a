#include "cli/explain/match_reader.hpp"

#include <boost/json/array.hpp>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

bool is_at_or_below(std::string_view path, std::string_view prefix)
{
    while (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string named(std::string_view kind, const json::object& what)
{
    return fmt::format("{} {}={}", kind, kube::string_at(what, "name"), kube::string_at(what, "value"));
}

}  // namespace

match_reader::match_reader(const json::object& match, const request_target& request)
    : match_(match), request_(request), type_(kube::string_or(match, "path.type", "PathPrefix")),
      value_(kube::string_or(match, "path.value", "/"))
{}

bool match_reader::fits()
{
    return fits_path() && (method().empty() || method() == request_.method) && fits_queries();
}

bool match_reader::fits_path()
{
    if (type_ == "RegularExpression")
        wanted_.push_back(fmt::format("the path fits the regular expression {}", value_));
    else if (type_ == "Exact")
        return request_.path == value_;
    else
        return is_at_or_below(request_.path, value_);
    return true;
}

bool match_reader::fits_queries()
{
    for (const json::value& each : kube::array_at(match_, "queryParams"))
    {
        const json::object& what = kube::as_object(each);
        if (kube::string_or(what, "type", "Exact") != "Exact")
            wanted_.push_back("the request has " + named("query", what));
        else if (!has_query(request_.query, kube::string_at(what, "name"), kube::string_at(what, "value")))
            return false;
    }
    return true;
}

std::string match_reader::conditions()
{
    for (const json::value& each : kube::array_at(match_, "headers"))
        wanted_.push_back("the request has " + named("header", kube::as_object(each)));
    return fmt::format("{}", fmt::join(wanted_, ", "));
}

long match_reader::priority() const
{
    const long path = type_ == "Exact"                         ? 100'000
                      : type_ == "PathPrefix" && value_ == "/" ? 1
                                                               : 10'000 + 100 * length();
    return path + (method().empty() ? 0 : 1'000) + 100 * count("headers") + 10 * count("queryParams");
}

std::vector<long> match_reader::rank() const
{
    return {
        type_ == "Exact" ? 1 : 0, length(), method().empty() ? 0 : 1, count("headers"), count("queryParams")};
}

long match_reader::count(const char* list) const
{
    return static_cast<long>(kube::array_at(match_, list).size());
}

}  // namespace portitor::cli::explain
