#include <portitor/schema/problem.hpp>

namespace portitor::schema {

namespace {

const char* words(fault what)
{
    switch (what)
    {
    case fault::unknown_field:
        return "unknown field";
    case fault::required:
        return "Required value";
    case fault::wrong_type:
    case fault::invalid:
        return "Invalid value";
    case fault::unsupported:
        return "Unsupported value";
    case fault::too_long:
        return "Too long";
    case fault::too_many:
        return "Too many";
    case fault::duplicate:
        return "Duplicate value";
    }
    return "Invalid value";
}

}  // namespace

std::string problem::text() const
{
    if (what == fault::unknown_field)
        return "unknown field \"" + field + '"' + (message.empty() ? "" : ": " + message);
    std::string out = field.empty() ? words(what) : field + ": " + words(what);
    for (const std::string* each : {&value, &message})
        if (!each->empty())
            out += ": " + *each;
    return out;
}

}  // namespace portitor::schema
