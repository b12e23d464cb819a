#include "schema/shown.hpp"
#include "schema/validator.hpp"

namespace portitor::schema {

namespace json = boost::json;

namespace {

class finder
{
public:
    explicit finder(problem_list& into) : into_(into) {}

    void look(const json::value& value, const node& schema)
    {
        if (into_.full())
            return;
        if (const json::object* object = value.if_object())
            look(*object, schema);
        else if (const json::array* list = value.if_array(); list && schema.items)
            for (std::size_t i = 0; i < list->size() && !into_.full(); ++i)
            {
                const field_path::step deeper(path_, i);
                look((*list)[i], *schema.items);
            }
    }

    void look(const json::object& object, const node& schema)
    {
        for (const auto& each : object)
        {
            if (into_.full())
                return;
            const node* inner = schema.member(each.key());
            const field_path::step deeper(path_, each.key());
            if (inner)
                look(each.value(), *inner);
            else if (!schema.keeps_unknown && schema.type == value_type::object)
                into_.add(fault::unknown_field, path_.text(), {});
        }
    }

private:
    problem_list& into_;
    field_path path_;
};

}  // namespace

void check_unknown_fields(const json::object& object, const node& root, problem_list& into)
{
    finder(into).look(object, root);
}

}  // namespace portitor::schema
