#include "schema/problems.hpp"

#include "schema/shown.hpp"

namespace portitor::schema {

field_path::step::step(field_path& path, std::string_view member) : path_(path), before_(path.text_.size())
{
    if (!path.text_.empty())
        path.text_ += '.';
    path.text_ += plain(member);
}

field_path::step::step(field_path& path, std::size_t index) : path_(path), before_(path.text_.size())
{
    path.text_ += '[' + std::to_string(index) + ']';
}

void problem_list::add(fault what, const std::string& field, std::string message, std::string value)
{
    // Those after which the API server asks no rule.
    const bool blocks = what == fault::required || what == fault::wrong_type || what == fault::unsupported ||
                        what == fault::too_long || what == fault::too_many;
    blocking_ += blocks ? 1 : 0;
    if (!full())
        found_.push_back({what, field, std::move(value), std::move(message)});
}

}  // namespace portitor::schema
