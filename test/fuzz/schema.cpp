#include "fuzz.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string>

using namespace portitor;

namespace {

bool is_printable(const std::string& text)
{
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

// What is said of an object can be printed and is short; its defaults are complete after one time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    boost::system::error_code ec;
    const boost::json::value parsed = boost::json::parse(fuzz::text_of(data, size), ec);
    if (ec || !parsed.is_object())
        return 0;
    for (const std::string_view kind : schema::crd_kinds())
    {
        const schema::crd_schema& rules = schema::crd_schema::load(kind);
        const auto problems = rules.validate(parsed.get_object());
        fuzz::require(problems.size() <= 50);
        for (const schema::problem& each : problems)
        {
            const std::string text = each.text();
            fuzz::require(is_printable(text) && text.size() < 4096);
        }
        boost::json::object complete = parsed.get_object();
        rules.apply_defaults(complete);
        boost::json::object again = complete;
        rules.apply_defaults(again);
        fuzz::require(again == complete);
        // Nor is it judged in another way; what had no members for the defaults has the same problems.
        fuzz::require(rules.validate(complete).size() == problems.size());
    }
    return 0;
}
