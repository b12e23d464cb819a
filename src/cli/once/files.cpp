#include "cli/once/files.hpp"

#include "cli/yaml.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>

namespace portitor::cli::once {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_file = std::size_t{64} << 20;

result<std::vector<std::string>> files_of(const std::string& path)
{
    std::error_code wrong;
    if (path == "-" || !fs::is_directory(path, wrong))
        return std::vector{path};
    std::vector<std::string> out;
    for (fs::directory_iterator at(path, wrong), end; !wrong && at != end; at.increment(wrong))
    {
        const std::string kind = at->path().extension().string();
        if (kind == ".yaml" || kind == ".yml" || kind == ".json")
            out.push_back(at->path().string());
    }
    if (wrong)
        return fail(errc::invalid, "{}: {}", path, wrong.message());
    if (out.empty())
        return fail(errc::not_found, "{} holds no *.yaml, *.yml or *.json", path);
    std::sort(out.begin(), out.end());
    return out;
}

/// Takes the offers of one file after the other.
class collector
{
public:
    collector(written_offers& into, const std::string& default_namespace)
        : into_(into), default_namespace_(default_namespace)
    {}

    void take_file(const std::string& file, const std::string& text)
    {
        file_ = file;
        mistakes_ = 0;
        yaml_text read = read_yaml(text);
        for (const std::string& each : read.mistakes)
            refuse(each);
        for (yaml_document& each : read.documents)
            take(std::move(each.value), fmt::format("the document on line {}", each.line));
    }

private:
    void refuse(std::string_view why)
    {
        if (++mistakes_ <= most_mistakes)
            into_.errors.push_back(fmt::format("{}: {}", file_, why));
        else if (mistakes_ == most_mistakes + 1)
            into_.errors.push_back(file_ + ": and more mistakes");
    }

    void take(json::value document, const std::string& where)
    {
        json::object* object = document.if_object();
        const std::string kind = object ? kube::string_at(*object, "kind") : "";
        if (kind.empty())
            return refuse(where + " is no Kubernetes object: it has no kind");
        if (kind == api::service_offer_resource.kind)
            return take_offer(std::move(*object), where);
        json::value* items = object->if_contains("items");
        if (!kind.ends_with("List") || !items || !items->is_array())
            return;
        std::size_t position = 0;
        for (json::value& each : items->get_array())
            take(std::move(each), fmt::format("{}, items[{}]", where, position++));
    }

    void take_offer(json::object offer, const std::string& where)
    {
        json::object* meta = offer["metadata"].if_object();
        // Before anything is added to where it stands.
        const std::string name = meta ? kube::string_at(*meta, "name") : "";
        if (name.empty())
            return refuse(where + " is a ServiceOffer without metadata.name, which is a text");
        json::value& ns = (*meta)["namespace"];
        if (ns.is_null() || ns == json::value(""))
            ns = default_namespace_;
        if (!ns.is_string())
            return refuse(where + " is a ServiceOffer whose metadata.namespace is no text");
        const kube::object_key key{std::string(ns.get_string()), name};
        const auto [at, is_new] = places_.try_emplace(key, file_);
        if (is_new)
            into_.offers.push_back({std::move(offer), file_});
        else
            refuse(fmt::format("ServiceOffer {} stands in {} already", key.to_string(), at->second));
    }

    written_offers& into_;
    const std::string& default_namespace_;
    std::string file_;
    std::size_t mistakes_ = 0;  ///< of this file
    std::map<kube::object_key, std::string> places_;
};

}  // namespace

result<std::string> read_text(const std::string& path, std::istream& standard_input)
{
    std::ifstream file;
    if (path != "-")
    {
        file.open(path, std::ios::binary);
        // A directory opens, and fails when read; an empty file does neither.
        file.peek();
        if (!file.is_open() || file.bad())
            return fail(errc::not_found, "{} cannot be read", path);
        file.clear();
    }
    std::istream& in = path == "-" ? standard_input : file;
    std::string text;
    std::array<char, 65536> piece{};
    while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
    {
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > longest_file)
            return fail(errc::invalid, "{} is longer than 64 MiB", path);
    }
    return text;
}

written_offers read_offers(
    const std::vector<std::string>& paths, std::istream& standard_input, const std::string& default_namespace
)
{
    written_offers out;
    collector into(out, default_namespace);
    for (const std::string& path : paths)
    {
        const auto files = files_of(path);
        if (!files)
        {
            out.errors.push_back(files.error().message());
            continue;
        }
        for (const std::string& file : *files)
        {
            const auto text = read_text(file, standard_input);
            if (text)
                into.take_file(file, *text);
            else
                out.errors.push_back(text.error().message());
        }
    }
    return out;
}

}  // namespace portitor::cli::once
