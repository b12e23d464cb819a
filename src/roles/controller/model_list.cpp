#include "roles/controller/model_list.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <string>
#include <utility>

namespace portitor::controller {

namespace json = boost::json;

namespace {

constexpr std::size_t deepest = 32;
// Names of members and models beyond this are none that are looked for.
constexpr std::size_t longest_name = 512;

// "qwen3" is short for "qwen3:latest" to ollama.
bool is_named(std::string_view listed, const offer::model_target& about)
{
    if (listed == about.model)
        return true;
    return is_ollama(about) && about.model.find(':') == about.model.npos && listed == about.model + ":latest";
}

/// Walks through {"models": [{"name": "..."}]}, or OpenAI's {"data": [{"id": "..."}]}.
class list_reader
{
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    explicit list_reader(const offer::model_target& about) : about_(about) {}

    bool has_list() const { return has_list_; }
    bool has_model() const { return has_model_; }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&)
    {
        is_object_ = is_object_ || depth_ == 0;
        is_entry_ = is_entry_ || (in_list_ && depth_ == 2);
        return enter();
    }
    bool on_object_end(std::size_t, json::error_code&)
    {
        --depth_;
        if (depth_ == 2)
            is_entry_ = false;
        return true;
    }
    bool on_array_begin(json::error_code&)
    {
        if (is_object_ && depth_ == 1 && key_ == (is_ollama(about_) ? "models" : "data"))
            has_list_ = in_list_ = true;
        return enter();
    }
    bool on_array_end(std::size_t, json::error_code&)
    {
        --depth_;
        if (depth_ == 1)
            in_list_ = false;
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&)
    {
        append(part);
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&)
    {
        append(part);
        std::swap(key_, text_);
        text_.clear();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&)
    {
        append(part);
        return true;
    }
    bool on_string(json::string_view part, std::size_t, json::error_code&)
    {
        append(part);
        const bool is_name = is_entry_ && depth_ == 3 && key_ == (is_ollama(about_) ? "name" : "id");
        has_model_ = has_model_ || (is_name && is_named(text_, about_));
        text_.clear();
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    bool enter()
    {
        ++depth_;
        return true;
    }

    void append(json::string_view part)
    {
        if (text_.size() <= longest_name)
            text_.append(part.data(), part.size());
    }

    const offer::model_target& about_;
    int depth_ = 0;
    std::string text_;
    std::string key_;
    bool is_object_ = false;
    bool in_list_ = false;
    bool is_entry_ = false;
    bool has_list_ = false;
    bool has_model_ = false;
};

}  // namespace

bool is_ollama(const offer::model_target& about)
{
    return about.runtime == "ollama";
}

result<bool> lists_model(const offer::model_target& about, std::string_view answer)
{
    json::parse_options options;
    options.max_depth = deepest;
    json::basic_parser<list_reader> parser(options, about);
    json::error_code failed;
    const std::size_t used = parser.write_some(false, answer.data(), answer.size(), failed);
    if (failed || used != answer.size() || !parser.handler().has_list())
        return fail(errc::protocol, "the answer is no list of models");
    return parser.handler().has_model();
}

}  // namespace portitor::controller
