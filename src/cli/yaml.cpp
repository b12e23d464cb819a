#include "cli/yaml.hpp"

#include "cli/yaml_builder.hpp"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>

namespace portitor::cli {

namespace {

bool begins_document(std::string_view line)
{
    return line.starts_with("---") && (line.size() == 3 || line.find_first_of(" \t\r") == 3);
}

/// Reads one part of a text after the other.
class reader
{
public:
    reader(plain_scalars how, std::size_t size) : builder_(how, 4 * size + 65'536) {}

    /// @param first its first line, counted from 0
    void take(const std::string& part, int first)
    {
        std::optional<YAML::Exception> ended_by;
        try
        {
            std::istringstream in(part);
            YAML::Parser parser(in);
            while (parser.HandleNextDocument(builder_))
            {
                auto value = builder_.take();
                if (!value.is_null())
                    out_.documents.push_back({std::move(value), first + 1});
            }
        }
        catch (const YAML::Exception& wrong)
        {
            ended_by = wrong;
        }
        for (const yaml_builder::mistake& each : builder_.take_mistakes())
            note(first, each.where, each.what);
        if (ended_by)
            note(first, ended_by->mark, ended_by->msg);
    }

    yaml_text end() { return std::move(out_); }

private:
    void note(int first, const YAML::Mark& where, const std::string& what)
    {
        if (out_.mistakes.size() < most_mistakes)
            out_.mistakes.push_back(fmt::format("line {}: {}", first + std::max(where.line, 0) + 1, what));
        else if (out_.mistakes.size() == most_mistakes)
            out_.mistakes.emplace_back("and more mistakes");
    }

    yaml_builder builder_;
    yaml_text out_;
};

}  // namespace

yaml_text read_yaml(const std::string& text, plain_scalars how)
{
    reader out(how, text.size());
    std::size_t begin = 0;
    int first = 0;
    int line = 0;
    for (std::size_t at = 0; at < text.size(); ++line)
    {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (at > begin && begins_document(std::string_view(text).substr(at, end - at)))
        {
            out.take(text.substr(begin, at - begin), first);
            begin = at;
            first = line;
        }
        at = end + 1;
    }
    out.take(text.substr(begin), first);
    return out.end();
}

result<std::vector<boost::json::value>> parse_yaml(const std::string& text, plain_scalars how)
{
    yaml_text read = read_yaml(text, how);
    if (!read.mistakes.empty())
        return fail(errc::invalid, "{}", read.mistakes.front());
    std::vector<boost::json::value> out;
    for (yaml_document& each : read.documents)
        out.push_back(std::move(each.value));
    return out;
}

}  // namespace portitor::cli
